from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

from castsearch.sources.movies import read
from castsearch.sources.paths import NOWHERE, is_fit_id
from castsearch.types import Candidate, CastMember, Problem, Still

Tree = Callable[[dict[str, object]], Path]
P = b"p"


def test_one_picture_per_person_and_crops(tree: Tree) -> None:
    root = tree({"film/cast/Ann.jpg": P, "film/cast/Bob.png": P, "film/candidates/7.webp": P})
    film = root / "film"
    (movie,) = read(film)
    assert movie.id == "film"
    assert movie.cast == (
        CastMember("film_Ann", "Ann", (Still("film/cast/Ann.jpg", film / "cast/Ann.jpg"),)),
        CastMember("film_Bob", "Bob", (Still("film/cast/Bob.png", film / "cast/Bob.png"),)),
    )
    still = Still("film/candidates/7.webp", film / "candidates/7.webp")
    assert movie.candidates == (Candidate("film_7", still),)
    assert movie.stills == ()
    assert movie.problems == ()
    assert movie.truth is None


def test_a_folder_of_portraits_per_person_and_stills(tree: Tree) -> None:
    root = tree(
        {
            "cast/Kate Winslet/b.jpg": P,
            "cast/Kate Winslet/a.jpg": P,
            "cast/Leo.jpg": P,
            "cast/Leo/old.tif": P,
            "stills/deck.jpg": P,
            "stills/bow 2.jpg": P,
        }
    )
    (movie,) = read(root)
    kate, leo = movie.cast
    assert (kate.id, kate.name) == ("data_Kate_Winslet", "Kate Winslet")
    assert [still.path.name for still in kate.portraits] == ["a.jpg", "b.jpg"]
    assert [still.id for still in leo.portraits] == ["data/cast/Leo.jpg", "data/cast/Leo/old.tif"]
    assert movie.candidates == ()
    assert movie.stills == (
        Still("data_bow_2", root / "stills/bow 2.jpg"),
        Still("data_deck", root / "stills/deck.jpg"),
    )


def test_a_folder_of_movies(tree: Tree) -> None:
    root = tree(
        {
            "b film/cast/Ann.jpg": P,
            "b film/candidates/1.jpg": P,
            "a/cast/Ann.jpg": P,
            "a/stills/1.jpg": P,
            "notes/readme.txt": "none of ours",
            "castsearch-out/ranking.csv": "",
        }
    )
    movies = read(root)
    assert [movie.id for movie in movies] == ["a", "b_film"]
    assert [movie.cast[0].id for movie in movies] == ["a_Ann", "b_film_Ann"]


def test_names_that_come_to_the_same_id(tree: Tree) -> None:
    root = tree(
        {
            "cast/Ann B.jpg": P,
            "cast/Ann_B.jpg": P,
            "candidates/1.jpg": P,
            "candidates/1.png": P,
            "candidates/1,.jpg": P,
            "candidates/1_.jpg": P,
        }
    )
    (movie,) = read(root)
    assert [(member.id, member.name) for member in movie.cast] == [
        ("data_Ann_B", "Ann_B"),
        ("data_Ann_B-2", "Ann B"),
    ]
    assert [(c.id, c.still.path.name) for c in movie.candidates] == [
        ("data_1", "1.jpg"),
        ("data_1-2", "1.png"),
        ("data_1_", "1_.jpg"),
        ("data_1_-2", "1,.jpg"),
    ]


def test_ids_differ_between_movies(tree: Tree) -> None:
    root = tree(
        {
            "a/cast/b_c.jpg": P,
            "a/candidates/1.jpg": P,
            "a_b/cast/c.jpg": P,
            "a_b/candidates/1.jpg": P,
        }
    )
    assert [member.id for movie in read(root) for member in movie.cast] == ["a_b_c", "a_b_c-2"]


def test_names_of_all_kinds_make_ids_that_can_be_written(tree: Tree) -> None:
    decomposed = unicodedata.normalize("NFD", "Zoë")
    root = tree({f"cast/{decomposed}.jpg": P, 'candidates/a "b" \n,.jpg': P})
    (root / "candidates" / "caf\udce9.jpg").write_bytes(P)
    (movie,) = read(root)
    assert movie.cast[0].name == "Zoë"
    for text in (movie.cast[0].id, *(c.id for c in movie.candidates)):
        assert is_fit_id(text)
        text.encode("utf-8")
    for candidate in movie.candidates:
        candidate.still.id.encode("utf-8")
        assert candidate.still.path.exists()


def test_a_picture_that_links_out_is_refused(tree: Tree) -> None:
    root = tree({"cast/Ann.jpg": P, "candidates/1.jpg": P, "stills/1.jpg": P})
    secret = root.parent / "secret.jpg"
    secret.write_bytes(P)
    for name in ("cast/Bob.jpg", "candidates/2.jpg", "stills/2.jpg"):
        (root / name).symlink_to(secret)
    (movie,) = read(root)
    outside = f"lies outside the folder {root} and is refused"
    bob, candidate = movie.cast[1], movie.candidates[1]
    assert bob == CastMember("data_Bob", "Bob", ())
    assert candidate.still.path == NOWHERE
    assert candidate.problem == (
        f"The picture {root}/candidates/2.jpg {outside}; candidate data_2 is ranked last."
    )
    assert len(movie.stills) == 1
    assert movie.problems == (
        Problem(
            "data_Bob", f"The portrait {root}/cast/Bob.jpg of data_Bob {outside}; it is left out."
        ),
        Problem("data_2", candidate.problem),
        Problem("data_2-2", f"The still {root}/stills/2.jpg {outside}; it is left out."),
    )


def test_a_link_inside_is_followed(tree: Tree) -> None:
    root = tree({"cast/Ann.jpg": P, "pool/x.jpg": P, "candidates/1.jpg": P})
    (root / "candidates" / "2.jpg").symlink_to("../pool/x.jpg")
    (movie,) = read(root)
    assert movie.problems == ()
    assert movie.candidates[1].still.path == root / "candidates/2.jpg"


def test_a_root_that_is_a_link_is_fine(tree: Tree) -> None:
    root = tree({"cast/Ann.jpg": P, "candidates/1.jpg": P})
    link = root.with_name("link")
    link.symlink_to(root)
    (movie,) = read(link)
    assert movie.id == "link"
    assert movie.problems == ()


def test_a_folder_that_links_out_is_refused(tree: Tree) -> None:
    root = tree({"a/cast/Ann.jpg": P, "a/candidates/1.jpg": P, "b/candidates/1.jpg": P})
    away = root.parent / "away"
    away.mkdir()
    (away / "Eve.jpg").write_bytes(P)
    (root / "b" / "cast").symlink_to(away)
    _, b = read(root)
    assert (b.cast, b.candidates) == ((), ())
    assert [problem.message for problem in b.problems] == [
        f"The folder {root}/b/cast lies outside the folder {root} and is refused; copy it into "
        "there.",
        f"Movie b has no cast; put one portrait per person into {root}/b/cast.",
    ]


def test_a_link_that_points_nowhere_is_told(tree: Tree) -> None:
    root = tree({"cast/Ann.jpg": P, "candidates/1.jpg": P})
    (root / "candidates" / "2.jpg").symlink_to("gone.jpg")
    (movie,) = read(root)
    assert [problem.message for problem in movie.problems] == [
        f"The picture {root}/candidates/2.jpg is missing; candidate data_2 is ranked last."
    ]


def test_what_is_not_looked_into_is_told(tree: Tree) -> None:
    root = tree({"cast/Ann/x.txt": "", "candidates/1.jpg": P, "candidates/deep/2.jpg": P})
    (movie,) = read(root)
    assert movie.cast == (CastMember("data_Ann", "Ann", ()),)
    assert [problem.message for problem in movie.problems] == [
        f"The folder {root}/cast/Ann holds no portrait of data_Ann; put one there.",
        f"The folders in {root}/candidates are not looked into (1, first: deep); put the pictures "
        "beside each other.",
    ]


def test_what_systems_leave_behind_is_passed_over(tree: Tree) -> None:
    clean = {"cast/Ann.jpg": P, "candidates/1.jpg": P}
    litter = {
        "cast/.DS_Store": P,
        "cast/Thumbs.db": P,
        "cast/._Ann.jpg": P,
        "cast/@eaDir/Ann.jpg": P,
        "candidates/readme.txt": P,
        "candidates/.hidden.jpg": P,
        ".git/config": P,
    }
    before = read(tree(clean))
    assert read(tree(litter)) == before
