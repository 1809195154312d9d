import pytest
import yaml

from shgat.errors import InputError
from shgat.monitoring.export import ExportSettings, duration, export, files
from shgat.monitoring.rules import RULES


def test_every_file_is_yaml_or_json_and_says_what_was_asked_for():
    found = {
        name: yaml.safe_load(text) for name, text in files(ExportSettings(targets=("a:1", "b:2"), webhook='http://x/"y')).items()
    }
    assert found["prometheus.yml"]["scrape_configs"][0]["static_configs"] == [{"targets": ["a:1", "b:2"]}]
    groups = found["rules/shgat.rules.yml"]["groups"]
    assert [rule["alert"] for rule in groups[1]["rules"]] == [rule.name for rule in RULES]
    assert found["alertmanager.yml"]["receivers"][0]["webhook_configs"][0]["url"] == 'http://x/"y'
    assert set(found["compose.yml"]["services"]) == {"prometheus", "alertmanager", "grafana"}
    for service in found["compose.yml"]["services"].values():
        assert "privileged" not in service
    assert all("127.0.0.1" in str(s) for s in found["compose.yml"]["services"].values())


def test_without_a_webhook_the_place_for_one_is_left_open():
    assert yaml.safe_load(files(ExportSettings())["alertmanager.yml"])["receivers"] == [{"name": "people"}]


def test_files_that_differ_are_not_written_over(tmp_path):
    written = export(tmp_path, ExportSettings())
    assert all(path.is_file() for path in written)
    assert export(tmp_path, ExportSettings()) == written
    with pytest.raises(InputError, match=r"prometheus.yml is there already, and differs: --force"):
        export(tmp_path, ExportSettings(every=30.0))
    export(tmp_path, ExportSettings(every=30.0), overwrite=True)
    assert yaml.safe_load((tmp_path / "prometheus.yml").read_text())["global"]["scrape_interval"] == "30s"


@pytest.mark.parametrize("target", ["host", "host:", ":80", "http://host:80", 'a:1"', "a b:1", "a:1\n- x:2"])
def test_a_target_is_a_host_and_a_port(target):
    with pytest.raises(InputError, match="a target is HOST:PORT"):
        ExportSettings(targets=(target,))


def test_durations_as_prometheus_writes_them():
    assert [duration(s) for s in (15.0, 0.5, 300.0)] == ["15s", "500ms", "300s"]
