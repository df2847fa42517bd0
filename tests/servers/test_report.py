"""`tests.servers.report`: what is read of a file that is being written."""

from pathlib import Path

from tests.servers.report import Report, read_reports, write_report


def test_half_a_line_is_for_later(tmp_path: Path) -> None:
    path = tmp_path / "reports"
    write_report(path, Report(session="one"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:5])
    assert read_reports(path) == {"one": Report(session="one")}
    path.write_bytes(whole)
    write_report(path, Report(session="two"))
    assert read_reports(path).keys() == {"one", "two"}
