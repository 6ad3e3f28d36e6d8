"""SQL read as tokens: what is a parameter, what is not, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.tools.sql import DIALECTS, Dialect, read


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("sql", "text", "names"),
    [
        ("SELECT :a, :b, :a", "SELECT {1}, {2}, {1}", ("a", "b")),
        ("select ':a', ':a''b :c', :d", "select ':a', ':a''b :c', {1}", ("d",)),
        ('SELECT ":a"":b", :c', 'SELECT ":a"":b", {1}', ("c",)),
        ("SELECT 1 -- :a ; DROP\n, :b", "SELECT 1  \n, {1}", ("b",)),
        ("SELECT 1 /* :a ; ' */ + :b", "SELECT 1   + {1}", ("b",)),
        (" \n/* a */ -- b\n WITH x AS (SELECT :a) SELECT 1 ; -- end", None, ("a",)),
        ("SELECT a FROM t WHERE b=:b;", "SELECT a FROM t WHERE b={1}", ("b",)),
        ("SELECT (:a)+:b", "SELECT ({1})+{2}", ("a", "b")),
        ("SELECT ';', \";\" FROM t", "SELECT ';', \";\" FROM t", ()),
        ("SELECT '--', :a", "SELECT '--', {1}", ("a",)),
    ],
)
def test_a_parameter_is_what_stands_in_no_string_name_or_comment(
    dialect: Dialect, sql: str, text: str | None, names: tuple[str, ...]
) -> None:
    found = read(sql, dialect)
    assert found.names == names
    if text is not None:
        mark = "?" if dialect == "sqlite" else "$"
        assert found.text == text.replace("{1}", f"{mark}1").replace("{2}", f"{mark}2")


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT :a::int, '1'::text", "SELECT $1::int, '1'::text"),
        ("SELECT $$ :a ; ' $$, :b", "SELECT $$ :a ; ' $$, $1"),
        ("SELECT $tag$ :a $$ ; $tag$, :b", "SELECT $tag$ :a $$ ; $tag$, $1"),
        (r"SELECT E'\' :a', e'\\', :b", r"SELECT E'\' :a', e'\\', $1"),
        (r"SELECT '\', :b", r"SELECT '\', $1"),
        ("SELECT a[1:2], b[1:n], :b", "SELECT a[1:2], b[1:n], $1"),
        ("SELECT j ? 'a', j @> :b", "SELECT j ? 'a', j @> $1"),
        ("SELECT /* :a /* ; */ :c */ :b", "SELECT   $1"),
        ("SELECT f(x := :b)", "SELECT f(x := $1)"),
        ("SELECT a$b, :b", "SELECT a$b, $1"),
    ],
)
def test_postgresql_has_casts_dollars_slices_and_nested_comments(sql: str, text: str) -> None:
    assert read(sql, "postgresql").text == text


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT [:a;], `:b``;`, :c", "SELECT [:a;], `:b``;`, ?1"),
        (r"SELECT '\', :c", r"SELECT '\', ?1"),
        ("SELECT x'00', :c /* :d", "SELECT x'00', ?1"),
    ],
)
def test_sqlite_has_brackets_and_backticks(sql: str, text: str) -> None:
    assert read(sql, "sqlite").text == text


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("", "must begin with SELECT or WITH"),
        ("-- SELECT", "must begin with SELECT or WITH"),
        ("DELETE FROM t", "must begin with SELECT or WITH"),
        ("/* SELECT */ DROP TABLE t", "must begin with SELECT or WITH"),
        ("(SELECT 1)", "must begin with SELECT or WITH"),
        ("SELECT 1; DROP TABLE t", "must be one statement"),
        ("SELECT 1;;SELECT 2", "must be one statement"),
        ("SELECT 1; -- a\n SELECT 2", "must be one statement"),
        ("SELECT 'a''", "has a ' that is never closed"),
        ('SELECT "a', 'has a " that is never closed'),
        ("SELECT 1\0", "has a character that is not text"),
    ],
)
def test_only_one_statement_that_reads_is_taken(dialect: Dialect, sql: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(sql, dialect)


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("SELECT ?", "sqlite"),
        ("SELECT ?1", "sqlite"),
        ("SELECT @a", "sqlite"),
        ("SELECT $a", "sqlite"),
        ("SELECT $1", "postgresql"),
    ],
)
def test_parameters_have_names(sql: str, dialect: Dialect) -> None:
    with pytest.raises(ValueError, match="write a parameter as :name"):
        read(sql, dialect)


def test_a_comment_that_is_never_closed_is_refused_where_the_database_refuses_it() -> None:
    with pytest.raises(ValueError, match="has a comment that is never closed"):
        read("SELECT 1 /* /* */", "postgresql")


@given(st.text(), st.sampled_from(DIALECTS))
def test_whatever_is_quoted_holds_no_parameter_and_ends_no_statement(
    text: str, dialect: Dialect
) -> None:
    quoted = text.replace("\0", "").replace("'", "''")
    found = read(f"SELECT '{quoted}', :a", dialect)
    assert found.names == ("a",)
    assert f"'{quoted}'" in found.text


@given(st.text(alphabet="'\"`[]$:;-/*?@\\ \nEeaSELECTselect1\0"), st.sampled_from(DIALECTS))
def test_whatever_text_comes_it_is_a_statement_or_a_value_error(
    text: str, dialect: Dialect
) -> None:
    try:
        found = read(f"SELECT {text}", dialect)
    except ValueError:
        return
    assert found.text.startswith("SELECT")
