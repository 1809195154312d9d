from shgat.web.describe import problems_of


def test_every_operation_says_how_it_is_refused(asking):
    document = asking.get("/openapi.json", key=None).json()
    names = set()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            names.add(operation["operationId"])
            assert operation["summary"].endswith((".", "?"))
            if operation["security"]:
                assert {"401", "403", "429", "500", "503"} <= set(operation["responses"]), path
                assert "scope `" in operation["description"]
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and path not in ("/readyz", "/healthz"):
                    assert list(answer["content"]) == ["application/problem+json"]
    assert names >= {"rank", "feedback", "why_not", "promote", "rollback", "sync_catalog", "metrics"}


def test_open_paths_need_no_key():
    assert 401 not in problems_of("/healthz")
    assert {401, 403, 429, 422} <= set(problems_of("/v1/rank", "invalid"))
