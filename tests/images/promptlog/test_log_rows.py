import pytest

from lib_trainer.images.promptlog.rows import LONGEST_ROW, LogFile


def read(tmp_path, data, encoding="auto"):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    log = LogFile(path, encoding)
    return log, list(log.rows())


def told(log):
    return [(reject.line, reject.reason.split()[-1]) for reject in log.rejects.named]


def test_quotes_line_breaks_and_delimiters_are_read_as_python_reads_them(tmp_path):
    log, rows = read(tmp_path, b'a,b\r\n"x, ""y""","1\n2"\r\n\r\nz,\r\n')
    assert (log.header, rows) == (["a", "b"], [['x, "y"', "1\n2"], ["z", ""]])
    assert told(log) == []


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(tmp_path, delimiter):
    assert read(tmp_path, f"a{delimiter}b\n1,5{delimiter}2\n".encode())[1] == [["1,5", "2"]]


@pytest.mark.parametrize(("line", "reason"), [
    (b'"open,2\n', "field"),
    (b'"a "quoted" word","2"\n', "field"),
    (b"1\n", "has"),
    (b"1,2,3\n", "has"),
    (b"\xff\xfe,2\n", "encoding"),
    (b"a\x00b,2\n", "character"),
    (b'"two\nlines",2,3\n', "has"),
    (b"x" * (LONGEST_ROW + 5) + b",2\n", "message"),
])  # fmt: skip
def test_a_broken_row_costs_itself_and_no_other(tmp_path, line, reason):
    good = b"".join(b'"row %d","\xc3\xa4\xc3\xb6\xc3\xbc"\n' % number for number in range(3000))
    log, rows = read(tmp_path, b"a,b\n" + good + line + good)
    kept = [row for row in rows if row[0].startswith("row ")]
    assert [row[0] for row in kept] == 2 * [f"row {number}" for number in range(3000)]
    assert len(rows) - len(kept) <= line.count(b"\n") - 1
    assert (3002, reason) in told(log)
    assert sum(log.rejects.counts.values()) == line.count(b"\n") - (len(rows) - len(kept))


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path):
    log, rows = read(tmp_path, b'a,b\n"open,2\n' + b"row,2\n" * 60_000)
    assert len(rows) == 60_000
    assert told(log) == [(2, "message")]


def test_a_quote_that_is_open_at_the_end_costs_one_row(tmp_path):
    log, rows = read(tmp_path, b'a,b\n1,2\n"open,2\n3,4\n5,6\n')
    assert rows == [["1", "2"], ["3", "4"], ["5", "6"]]
    assert told(log) == [(3, "closed")]


@pytest.mark.parametrize(("encoding", "found"), [
    ("utf-8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
    ("utf-16-be", "utf-16-be"), ("cp1252", "cp1252"), ("utf-32", "utf-32"),
])  # fmt: skip
def test_the_encoding_is_found(tmp_path, encoding, found):
    log, rows = read(tmp_path, "Name,Größe\nfür,ä\nüber,ö\n".encode(encoding))
    assert log.encoding == found
    assert (log.header, rows) == (["Name", "Größe"], [["für", "ä"], ["über", "ö"]])


def test_a_told_encoding_is_taken(tmp_path):
    assert read(tmp_path, "a,b\nä,1\n".encode("latin-1"), "latin-1")[1] == [["ä", "1"]]
