"""An audience is told at the command line: a preview is edited, drafted, approved by another person, and sent."""

from pathlib import Path

from tests.desk import Desk


def tell(desk: Desk, incident: str, folder: Path, author: str, approver: str) -> None:
    """Tell affected users of a declared incident, and see that the record shows what was approved and sent."""
    (due,) = desk.json("messages", "due", "--within", "30d")
    assert (due["audience"], due["missed"]) == ("executive", False)
    text = folder / "text.txt"
    text.write_text(desk.run("messages", "preview", incident, "--audience", "affected_users") + "Call 112.\n")
    draft = ("messages", "draft", incident, "--audience", "affected_users")
    desk.run(*draft, "--edit", str(text), "--as", author)
    desk.run("messages", "approve", incident, "1", "--as", approver)
    sent = ("messages", "sent", incident, "1", "--channel", "mail", "--receipt", "<1@mail>", "--as", author)
    text.write_text("something else")
    assert "not the text that was approved" in desk.fails(*sent, "--file", str(text))
    assert f"sent to affected users by mail, says {author}" in desk.run(*sent)
    (row,) = desk.json("messages", "list", incident)
    assert (row["state"], row["author"], row["approved_by"]) == ("sent", author, approver)
    assert row["text"].endswith("Call 112.")
    assert "messages     1 sent; next update due" in desk.run("incidents", "show", incident)
    assert "no system in force is a third party's" in desk.run("vendors")
