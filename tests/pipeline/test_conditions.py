"""Conditions on a repository's name and an issue's labels."""

from pipeline.conditions import label_mismatches, names_repository, repository_mismatch


def test_a_repository_matches_a_glob_in_any_case() -> None:
    """Globs are over owner/name; only a star matches a repository that is not known."""
    assert names_repository(("beta/*", "Acme/app"), "acme/App")
    assert not names_repository(("acme",), "acme/app")
    assert names_repository(("*",), None)
    assert not names_repository(("acme/*",), None)


def test_a_mismatch_names_the_repository() -> None:
    """The reason names the repository and the globs; without a mismatch there is none."""
    assert repository_mismatch(("b/*", "c/*"), "acme/app") == "'acme/app' matches none of b/*, c/*"
    assert repository_mismatch(("b/*",), None) == "the missing repository matches none of b/*"
    assert repository_mismatch(("a*",), "acme/app") is None


def test_every_list_of_labels_that_is_not_met_is_named() -> None:
    """Labels are compared in any case, and an empty list asks for nothing."""
    found = label_mismatches(["Bug", "x"], any_of=("p1", "p2"), all_of=("BUG", "y"), none_of=("X", "z"))
    assert list(found) == [
        ("labels_any", "the issue has none of the labels 'p1', 'p2'"),
        ("labels_all", "the issue lacks 'y'"),
        ("labels_none", "the issue has 'X'"),
    ]
    assert not list(label_mismatches(["Bug"], any_of=("x", "bug"), all_of=("BUG",), none_of=("x",)))
    assert not list(label_mismatches([], any_of=(), all_of=(), none_of=()))
