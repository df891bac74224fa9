"""A prompt log before it is read."""

from __future__ import annotations

ADDRESS = "/trainer/api/promptlog"


def test_the_columns_and_first_rows_of_a_file_are_shown(browser, tmp_path):
    path = tmp_path / "logs" / "a.csv"
    path.parent.mkdir()
    path.write_bytes("\ufeffWer;Text\nann;\"**ü**; x\"\nbob\nbob;2\ncem;3\ndan;4\n".encode())
    told = {"file": str(path), "encoding": "utf-8-sig", "columns": ["Wer", "Text"]}
    rows = [["ann", "**ü**; x"], ["bob", "2"], ["cem", "3"]]
    assert browser.get(ADDRESS, path=path).data == {**told, "rows": rows}
    assert browser.get(ADDRESS, path=path.parent).data == {**told, "rows": rows}


def test_what_is_no_log_is_refused(browser, guest, tmp_path):
    assert browser.get(ADDRESS, path=tmp_path / "gone.csv").status == 400
    assert browser.get(ADDRESS, path=tmp_path).error.startswith(f"The folder {tmp_path} holds no .csv files")
    (tmp_path / "a.png").write_bytes(b"x")
    assert browser.get(ADDRESS, path=tmp_path / "a.png").status == 415
    (tmp_path / "a.csv").write_text("secret", encoding="utf-8")
    assert guest.get(ADDRESS, path=tmp_path / "a.csv").status == 403


def test_a_guest_reads_no_file_through_a_link(guest, tmp_path):
    (tmp_path / "a.csv").write_text("secret", encoding="utf-8")
    (tmp_path / "webui" / "logs").mkdir()
    (tmp_path / "webui" / "logs" / "link.csv").symlink_to(tmp_path / "a.csv")
    assert guest.get(ADDRESS, path=tmp_path / "webui" / "logs").status == 403
