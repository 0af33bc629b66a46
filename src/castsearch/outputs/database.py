"""The tables of a saved run: one SQLite file, its form and version, and its faults in words.

SQLite, since one file holds everything, a movie is written whole or not at all, any language reads
it, and its form is promised to stay readable until 2050. The journal is SQLite's own rollback
journal and no write-ahead log: a closed file stands alone and can be copied.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from castsearch.errors import CastsearchError, InputError
from castsearch.runtime.oserrors import failure

NAME = "run.sqlite"
APPLICATION_ID = 0x43535230
"""What tells the file from any other SQLite database ("CSR0")."""
VERSION = 1
"""Form of the tables; a file of a newer one is refused, not guessed at."""

# Texts that SQLite cannot hold (a NUL, a lone surrogate of an odd file name) are blobs of UTF-8,
# and a number that is none is the text 'nan': see values.py.
TABLES = """
-- What the run is: castsearch, fingerprint, state (open, moving, whole); about, title, report_facts
-- and evaluation as JSON; named is 1 where scores are probabilities.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- What the run wrote into its folder; is_stale marks what an earlier one wrote, to be removed.
CREATE TABLE files (name TEXT NOT NULL, is_stale INTEGER NOT NULL, PRIMARY KEY (name, is_stale))
  WITHOUT ROWID;
CREATE TABLE movies (movie INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, seconds REAL);
-- Every picture named by the movie; whole is its place among those that no box was given for.
CREATE TABLE stills (movie INTEGER NOT NULL REFERENCES movies ON DELETE CASCADE,
  still INTEGER NOT NULL, id TEXT NOT NULL, path TEXT NOT NULL, frame INTEGER, seconds REAL,
  whole INTEGER, PRIMARY KEY (movie, still)) WITHOUT ROWID;
-- Of each still id that could be read: key of the content, upright size in pixels.
CREATE TABLE pictures (movie INTEGER NOT NULL REFERENCES movies ON DELETE CASCADE,
  id TEXT NOT NULL, key TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
  PRIMARY KEY (movie, id)) WITHOUT ROWID;
CREATE TABLE cast_members (movie INTEGER NOT NULL REFERENCES movies ON DELETE CASCADE,
  position INTEGER NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (movie, position)) WITHOUT ROWID;
CREATE TABLE portraits (movie INTEGER NOT NULL REFERENCES movies ON DELETE CASCADE,
  member INTEGER NOT NULL, position INTEGER NOT NULL, still INTEGER NOT NULL,
  PRIMARY KEY (movie, member, position)) WITHOUT ROWID;
-- The box is in pixels of the upright picture; NULL where the picture is the crop.
CREATE TABLE candidates (movie INTEGER NOT NULL REFERENCES movies ON DELETE CASCADE,
  position INTEGER NOT NULL, id TEXT NOT NULL, still INTEGER NOT NULL,
  x0 REAL, y0 REAL, x1 REAL, y1 REAL, label TEXT, problem TEXT,
  PRIMARY KEY (movie, position)) WITHOUT ROWID;
-- What was seen of a candidate, or of a portrait by its still id: the face that was used, the
-- region that the thumbnail shows (both in pixels of the upright picture), landmarks as JSON.
CREATE TABLE crops (movie INTEGER NOT NULL REFERENCES movies ON DELETE CASCADE,
  id TEXT NOT NULL, face_x0 REAL, face_y0 REAL, face_x1 REAL, face_y1 REAL, face_score REAL,
  landmarks TEXT, frame_x0 REAL, frame_y0 REAL, frame_x1 REAL, frame_y1 REAL, thumbnail TEXT,
  PRIMARY KEY (movie, id)) WITHOUT ROWID;
CREATE INDEX crops_by_thumbnail ON crops (thumbnail);
-- Small JPEG files; name is the first 32 hexadecimal digits of their sha256.
CREATE TABLE thumbnails (name TEXT PRIMARY KEY, jpeg BLOB NOT NULL);
CREATE TABLE rankings (movie INTEGER NOT NULL REFERENCES movies ON DELETE CASCADE,
  position INTEGER NOT NULL, query TEXT NOT NULL, n_ties INTEGER NOT NULL,
  PRIMARY KEY (movie, position)) WITHOUT ROWID;
-- rank counts from 1; score is -Inf for "nothing to go by", NULL where there are no scores.
CREATE TABLE ranked (movie INTEGER NOT NULL REFERENCES movies ON DELETE CASCADE,
  ranking INTEGER NOT NULL, rank INTEGER NOT NULL, candidate TEXT NOT NULL, score REAL, reason TEXT,
  PRIMARY KEY (movie, ranking, rank)) WITHOUT ROWID;
-- movie is NULL for what kept a whole movie out; stage is read or rank.
CREATE TABLE problems (movie INTEGER REFERENCES movies ON DELETE CASCADE,
  stage TEXT NOT NULL, position INTEGER NOT NULL, place TEXT NOT NULL, message TEXT NOT NULL);
CREATE INDEX problems_by_movie ON problems (movie);
-- Arrays as NumPy's .npy files, never with pickled objects.
CREATE TABLE evidence (movie INTEGER NOT NULL REFERENCES movies ON DELETE CASCADE,
  name TEXT NOT NULL, npy BLOB NOT NULL, PRIMARY KEY (movie, name));
-- kind is same (a and b show one person), different, label (a is b), denied (a is not b).
CREATE TABLE facts (movie INTEGER NOT NULL REFERENCES movies ON DELETE CASCADE,
  kind TEXT NOT NULL, position INTEGER NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL,
  PRIMARY KEY (movie, kind, position)) WITHOUT ROWID;
-- The rankings with their ids, for reading by hand.
CREATE VIEW scores AS
  SELECT movies.id AS movie, query, candidate, rank, score, reason
  FROM ranked JOIN movies USING (movie)
  JOIN rankings ON rankings.movie = ranked.movie AND rankings.position = ranked.ranking
  ORDER BY ranked.movie, ranking, rank;
"""


def create(path: Path) -> sqlite3.Connection:
    """A new database at ``path``, for its owner alone and for this process alone.

    Raises:
        CastsearchError: It cannot be written.
    """
    with in_words(path):
        # Made here, so that at no time it is readable by others.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = _connected(path, "rw")
        with closed_on_failure(connection):
            _hold(connection)
            with transaction(connection):
                for statement in TABLES.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """The database of a run, which nothing is written to.

    Raises:
        InputError: There is none, it is of another program or of a newer version, or damaged.
        CastsearchError: It cannot be read.
    """
    # What a killed run left half written is rolled back first, which is writing.
    mode = "rw" if path.with_name(f"{path.name}-journal").exists() else "ro"
    with in_words(path, "read"):
        connection = _connected(path, mode)
        with closed_on_failure(connection):
            check(path, connection)
    return connection


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The database of a run, held for this process alone until it is closed.

    Raises:
        InputError: As of :func:`open_for_reading`.
        CastsearchError: It cannot be written, or another process holds it.
    """
    with in_words(path):
        connection = _connected(path, "rw")
        with closed_on_failure(connection):
            check(path, connection)
            _hold(connection)
            with transaction(connection):  # the first write takes the lock
                connection.execute("UPDATE meta SET value = value")
    return connection


def check(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse what this version did not write, or cannot know how to read."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise InputError(
            f"{path} is a database of another program and was left alone; choose another folder"
        )
    if version > VERSION:
        raise InputError(
            f"{path} was written by a newer castsearch (form {version}; this one reads {VERSION}); "
            "update castsearch"
        )
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if version < 1 or not {"meta", "files", "movies", "ranked"} <= tables:
        raise damaged(path, "tables are missing")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written within is written at once, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # A full disk may have ended the transaction already.
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextlib.contextmanager
def closed_on_failure(connection: sqlite3.Connection) -> Iterator[None]:
    """No connection is left open where opening it did not succeed."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


@contextlib.contextmanager
def in_words(path: Path, doing: str = "written") -> Iterator[None]:
    """What SQLite or the system refuses about ``path`` becomes one sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise _sentence(path, error) from error
    except OSError as error:
        raise failure(error, path, doing) from error


def damaged(path: Path, what: object) -> InputError:
    """The sentence for a run whose content is not what a run wrote."""
    return InputError(
        f"{path} is damaged ({what}); take it from a copy, or rank again into another folder"
    )


def _sentence(path: Path, error: sqlite3.Error) -> CastsearchError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return InputError(
            f"{path} is no database of castsearch and was left alone; choose another folder"
        )
    if code == sqlite3.SQLITE_BUSY:
        return CastsearchError(
            f"{path} is in use by another castsearch; wait until it ends, or choose another folder"
        )
    if code == sqlite3.SQLITE_FULL:
        return CastsearchError(
            f"{path} cannot be written (no space left); make room and start again: "
            "movies that are saved are kept"
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR):
        return CastsearchError(
            f"{path} cannot be opened or written ({error}); choose another folder or make room"
        )
    return damaged(path, error)


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    # An absolute path of bytes that are not UTF-8 becomes a valid address too.
    address = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=1.0, isolation_level=None)
    with closed_on_failure(connection):
        # A schema that came with a copied folder calls no functions.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _hold(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    # Face vectors of a movie that is replaced do not stay in free pages.
    connection.execute("PRAGMA secure_delete = ON")
