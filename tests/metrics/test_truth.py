"""Reading the ground truth in each of its forms."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castsearch.errors import InputError
from castsearch.metrics import Row, Submission, Truth, evaluate, read_truth, truth_of
from castsearch.types import Candidate, CastMember, Movie, Still


def written(folder: Path, document: object) -> Path:
    path = folder / "truth.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def labelled_movie(movie: str, labels: dict[str, str | None], cast: tuple[str, ...]) -> Movie:
    still = Still("s", Path("s.jpg"))
    return Movie(
        movie,
        tuple(CastMember(c, c, (still,)) for c in cast),
        tuple(Candidate(i, still, label=label) for i, label in labels.items()),
    )


def test_lists_per_query(tmp_path: Path) -> None:
    path = written(tmp_path, {"tt1_nm1": ["tt1_0", "tt1_2"], "tt1_others": ["tt1_1"]})
    truth = read_truth(path)
    assert truth.positives == {"tt1_nm1": frozenset({"tt1_0", "tt1_2"})}
    assert truth.candidates is None
    assert truth.movie_of("tt1_nm1") == "tt1"
    assert truth.messages == ('tt1_others: "others" is never a query; left out of the truth',)


@pytest.mark.parametrize("prefix", ["", "tt1_"])
def test_cast_and_candidates_with_either_label(tmp_path: Path, prefix: str) -> None:
    document = {
        "tt1": {
            "cast": [{"id": "tt1_nm1", "label": f"{prefix}nm1"}, {"id": "tt1_nm2", "label": "nm2"}],
            "candidates": [
                {"id": "tt1_0", "label": "nm1"},
                {"id": "tt1_1", "label": "others"},
                {"id": "tt1_2", "label": f"{prefix}nm2"},
                {"id": "tt1_3", "label": "tt1_nm1"},
            ],
        }
    }
    truth = read_truth(written(tmp_path, document))
    assert truth.positives == {
        "tt1_nm1": frozenset({"tt1_0", "tt1_3"}),
        "tt1_nm2": frozenset({"tt1_2"}),
    }
    assert truth.candidates == {"tt1": frozenset({"tt1_0", "tt1_1", "tt1_2", "tt1_3"})}
    assert truth.messages == ()


def test_a_label_outside_the_cast_is_told(tmp_path: Path) -> None:
    document = {
        "tt1": {
            "cast": [{"id": "tt1_nm1", "label": "nm1"}, {"id": "others", "label": "others"}],
            "candidates": [{"id": "tt1_0", "label": "nm1"}, {"id": "tt1_1", "label": "nm7"}],
        }
    }
    truth = read_truth(written(tmp_path, document))
    assert list(truth.positives) == ["tt1_nm1"]
    assert any(
        "labels that name nobody of the cast (1, first: nm7); those candidates count as others" in m
        for m in truth.messages
    )
    assert truth.positives == {"tt1_nm1": frozenset({"tt1_0"})}
    assert any('"others" is never a query' in m for m in truth.messages)


@pytest.mark.parametrize("folder", ["wider-mini", "wider-scenes"])
def test_split_file_and_label_file_agree(data_dir: Path, folder: str) -> None:
    split = read_truth(data_dir / folder / "val.json")
    labels = read_truth(data_dir / folder / "val_label.json")
    assert {q: p for q, p in split.positives.items() if p} == {
        q: p for q, p in labels.positives.items() if p
    }


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("{", "broken JSON"),
        ("[1]", "expected a JSON object"),
        ("{}", "expected a JSON object"),
        ({"tt1_nm1": ["tt1_0"], "tt1": {}}, "not a ground truth"),
        ({"tt1_nm1": "tt1_0"}, "tt1_nm1 has neither a list of candidates nor a cast"),
        ({"tt1_nm1": ["tt1_0", 3]}, "something that is not an id"),
        ({"tt1_nm1": ["tt1_0", "tt1_0"]}, "names twice: tt1_0"),
        ({"tt1_nm1": ["a"], "tt1_nm2": ["a"]}, "a is listed for tt1_nm1 and for tt1_nm2"),
        ('{"tt1_nm1": ["a"], "tt1_nm1": ["b"]}', "occurs twice in one object: tt1_nm1"),
        ({"tt1": {"cast": []}}, 'tt1 has no list "candidates"'),
        ({"tt1": {"cast": [{}], "candidates": []}}, 'entry of "cast" of tt1 has no id'),
        (
            {"tt1": {"cast": [{"id": "a"}, {"id": "a"}], "candidates": []}},
            "the id tt1_a occurs twice",
        ),
        (
            {"tt1": {"cast": [{"id": "a"}], "candidates": [{"id": "b", "label": 7}]}},
            'the label of b in "candidates" of tt1 is not text',
        ),
        ({"tt1": {"cast": [{"id": "a"}], "candidates": [{"id": "b"}]}}, "no candidate has a label"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_bad_truth_gets_one_sentence(tmp_path: Path, document: object, sentence: str) -> None:
    path = written(tmp_path, document)
    with pytest.raises(InputError) as error:
        read_truth(path)
    assert sentence in str(error.value)
    assert str(path) in str(error.value)


def test_missing_and_undecodable_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"No such file or directory\); check the path"):
        read_truth(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read_truth(tmp_path / "bytes.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_truth(Path("a" * 300))


@settings(max_examples=100, deadline=None)
@given(
    st.text()
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["cast", "candidates", "id", "label", "tt1"]), inner)
        ),
    ).map(json.dumps)
)
def test_random_text_raises_input_error_alone(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(InputError):
        assert isinstance(read_truth(path), Truth)


def test_truth_of_labelled_movies() -> None:
    one = labelled_movie("m", {"m_0": "m_a", "m_1": "others"}, ("m_a", "m_b_c"))
    bare = labelled_movie("n", {"n_0": None}, ("n_a",))
    truth = truth_of([one, bare])
    assert truth is not None
    assert truth.positives == {"m_a": frozenset({"m_0"}), "m_b_c": frozenset()}
    assert truth.candidates == {"m": frozenset({"m_0", "m_1"})}
    assert truth.movie_of("m_b_c") == "m"
    assert truth.messages == ("movie n has no labels and is not scored",)
    assert truth.unlabelled == {"n_a"}
    assert truth_of([bare]) is None


def test_lists_of_movies_without_labels_do_not_stop_the_others() -> None:
    one = labelled_movie("m", {"m_0": "m_a", "m_1": "others"}, ("m_a",))
    truth = truth_of([one, labelled_movie("n", {"n_0": None}, ("n_a",))])
    assert truth is not None
    rows = (Row("n_a", ("n_0",), 1), Row("m_a", ("m_1", "m_0"), 2))
    result = evaluate(truth, Submission(rows))
    assert result.mAP == 0.5
    assert result.messages == ("movie n has no labels and is not scored",)
    with pytest.raises(InputError, match="the truth has no query n_b"):
        evaluate(truth, Submission((*rows, Row("n_b", ("n_0",), 3))))


def test_candidates_without_a_label_and_labels_of_two_are_told(tmp_path: Path) -> None:
    document = {
        "tt1": {
            "cast": [{"id": "nm1", "label": "A"}, {"id": "nm2", "label": "A"}],
            "candidates": [{"id": "tt1_0", "label": "A"}, {"id": "tt1_1"}],
        },
        "tt2": {"cast": [{"id": "nm1"}], "candidates": [{"id": "tt2_0"}]},
    }
    truth = read_truth(written(tmp_path, document))
    assert truth.positives == {"tt1_nm1": frozenset({"tt1_0"}), "tt1_nm2": frozenset()}
    assert truth.unlabelled == {"tt2_nm1"}
    said = "; ".join(truth.messages)
    assert "movie tt2 has no labels and is not scored" in said
    assert "labels that several of the cast have (1, first: A)" in said
    assert "candidates without a label (1 of 2, first: tt1_1)" in said


def test_what_reading_a_folder_could_not_settle_is_told(tmp_path: Path) -> None:
    for name in ("cast/tt1_nm1.jpg", "candidates/tt1_0.jpg", "candidates/tt1_1.jpg"):
        path = tmp_path / "val" / "tt1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"p")
    (tmp_path / "val_GT.json").write_text('{"tt1_nm1": ["tt1_0", "tt1_0"], "tt1_nm1": ["tt1_1"]}')
    truth = read_truth(tmp_path)
    assert truth.positives == {"tt1_nm1": frozenset({"tt1_0"})}
    said = "; ".join(truth.messages)
    assert "the list of tt1_nm1 names twice: tt1_0" in said
    assert "has tt1_nm1 twice; the first one counts" in said


@pytest.mark.parametrize(
    "document",
    [
        {"tt1_nm1": ["tt1_0"], "tt1_nm2": ["tt1_1"], "tt1_Others": ["tt1_2"]},
        {
            "tt1": {
                "cast": [{"id": "nm1", "label": "A"}, {"id": "tt1_nm2"}],
                "candidates": [
                    {"id": "tt1_0", "label": "tt1_A"},
                    {"id": "tt1_1", "label": "nm2"},
                    {"id": "tt1_2", "label": "Others"},
                ],
            }
        },
    ],
    ids=["by query", "by movie"],
)
def test_a_truth_file_means_the_same_beside_the_pictures_as_alone(
    tmp_path: Path, document: dict[str, object]
) -> None:
    for name in (
        "cast/tt1_nm1.jpg",
        "cast/tt1_nm2.jpg",
        *(f"candidates/tt1_{i}.jpg" for i in "012"),
    ):
        path = tmp_path / "val" / "tt1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"p")
    (tmp_path / "val_GT.json").write_text(json.dumps(document))
    expected = {"tt1_nm1": frozenset({"tt1_0"}), "tt1_nm2": frozenset({"tt1_1"})}
    assert read_truth(tmp_path / "val_GT.json").positives == expected
    assert read_truth(tmp_path).positives == expected


def test_truth_of_refuses_a_cast_id_in_two_movies() -> None:
    movies = [labelled_movie(m, {f"{m}_0": "a"}, ("a",)) for m in ("m", "n")]
    with pytest.raises(InputError, match="the cast id a occurs in m and in n"):
        truth_of(movies)


@pytest.mark.parametrize("folder", ["wider-mini", "ntu-mini"])
def test_a_folder_equals_its_truth_file(data_dir: Path, folder: str) -> None:
    names = {"wider-mini": "val_label.json", "ntu-mini": "val_GT.json"}
    of_folder = read_truth(data_dir / folder)
    of_file = read_truth(data_dir / folder / names[folder])
    assert of_folder.candidates is not None
    assert {q: p for q, p in of_folder.positives.items() if p} == {
        q: p for q, p in of_file.positives.items() if p
    }
