"""Two presets side by side: what is shown of each list, and which pictures."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from castsearch.metrics.comparison import QueryAP, Variant, ablation_of
from castsearch.outputs.side_by_side import Shown, SideBySide, side_by_side, write_comparison
from castsearch.types import Box, Candidate, CastMember, Movie, MovieResult, Ranking, Still


def test_lists_of_two_runs_are_put_side_by_side(tmp_path: Path) -> None:
    member = CastMember("m_a", "Ada", (Still("p", Path("p.jpg")),))
    candidates = tuple(
        Candidate(f"c{i}", Still(f"c{i}", Path("c.jpg")), label="m_a" if i == 1 else "others")
        for i in range(14)
    )
    movie = Movie("m", (member,), candidates)
    names = tuple(c.id for c in candidates)
    pictures = {name: b"jpeg %d" % i for i, name in enumerate(("p", *names[:13]))}
    frames = dict.fromkeys(pictures, Box(0, 0, 60, 90))
    runs = [
        MovieResult(movie, (Ranking("m_a", order, reasons=reasons),), {}, pictures, frames)
        for order, reasons in ((names, ()), (names[::-1], tuple(f"why {n}" for n in names[::-1])))
    ]
    query = QueryAP("set", "m", "m_a", (0.5, 0.1), None, 1, 0)
    folder = tmp_path / "thumbs"
    # Iterators will do: a run that is read movie by movie.
    (comparison,) = side_by_side("set", (iter([run]) for run in runs), [query], folder)
    first, second = comparison.lists
    assert [shown.candidate for shown in first] == list(names[:12])
    assert [shown.candidate for shown in second] == list(names[::-1][:12])
    assert [shown.is_right for shown in first] == [i == 1 for i in range(12)]
    assert second[0] == Shown("c13", False, "why c13")
    assert set(comparison.pictures) == {"p", *names[:13]}  # c13 has no picture
    assert comparison.pictures["p"] == (sha256(pictures["p"]).hexdigest()[:32], 667)
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert written == {f"{sha256(jpeg).hexdigest()[:32]}.jpg": jpeg for jpeg in pictures.values()}
    assert side_by_side("another", [[run] for run in runs], [query], folder) == []


def test_pictures_of_an_earlier_ablation_go_and_files_of_others_stay(tmp_path: Path) -> None:
    folder = tmp_path / "thumbs"
    folder.mkdir()
    for name in ("0" * 32, "1" * 32, "mine"):
        (folder / f"{name}.jpg").write_bytes(b"jpeg")
    query = QueryAP("set", "m", "m_a", (0.5,), None, 1, 0)
    one = SideBySide(query, "Ada", ("p",), ((),), {"p": ("1" * 32, 667)})
    table = ablation_of([Variant("face", "")], [query], against="face", n_resamples=2)
    page = write_comparison(tmp_path, table, [one], [])
    assert page == tmp_path / "index.html"
    assert {path.name for path in folder.iterdir()} == {f"{'1' * 32}.jpg", "mine.jpg"}
