from shgat.progressive.changeset import Changes

from .histories import event


def test_a_moved_file_stays_the_same_and_its_deletion_is_no_death():
    moved = {"p": "b.py", "s": "A", "mode": "100644", "of": "a.py"}
    gone = {"p": "a.py", "s": "D", "mode": "100644"}
    changes = Changes.of([event(0, ["a.py", "c.py"]), event(1, [gone, moved]), event(2, ["b.py", "c.py"], status="M")])
    assert [c.files for c in changes.rows] == [(0, 1), (0,), (0, 1)]
    assert changes.first_paths == ["a.py", "c.py"]
    assert changes.last_paths == ["b.py", "c.py"]
    assert changes.rows[1].paths == ("b.py",)
    assert changes.lives == [[1], [1]]


def test_merges_and_wide_commits_are_no_rows_but_their_files_are_there():
    wide = [f"f{i}" for i in range(31)]
    changes = Changes.of(
        [event(0, wide), event(1, ["f0", "g"], merge=True), event(2, ["f0"], status="D"), event(3, ["f1"], status="M")]
    )
    assert [c.seq for c in changes.rows] == [2, 3]
    assert changes.lives[:2] == [[0, 1], [0]]
    assert 0 in changes.alive(0)
    assert 0 not in changes.alive(1)
    assert changes.n_events == 4


def test_a_file_that_comes_back_was_away_for_a_while():
    changes = Changes.of([event(0, ["a"]), event(1, ["a"], status="D"), event(2, ["a"])])
    assert changes.lives == [[1, 2, 3]]
    assert [changes.alive(row) for row in range(4)] == [[], [0], [], [0]]
    assert changes.rows[2].added == {0}


def test_what_comes_first_has_the_same_identities_without_what_comes_later():
    events = [event(i, [f"f{i % 7}", f"g{i % 3}"]) for i in range(20)]
    whole, first = Changes.of(events), Changes.of(events[:12])
    assert whole.rows[:12] == first.rows
    assert whole.first_paths[: len(first.first_paths)] == first.first_paths


def test_trailers_are_no_part_of_a_message():
    change = Changes.of([event(0, ["a"], "fix it\n\nmore\nSigned-off-by: A <a@example.org>\n")]).rows[0]
    assert change.message == "fix it\n\nmore"
    assert change.subject == "fix it"
