import json

import pytest

pytestmark = pytest.mark.engine
pytest.importorskip("duckdb")

from lib_trainer.core.errors import ConfigError, DataError  # noqa: E402
from lib_trainer.core.events import Notice, Table  # noqa: E402
from lib_trainer.images.promptlog.options import LogColumns, LogFilters, PromptLogOptions  # noqa: E402
from lib_trainer.images.promptlog.promptlog import promptlog  # noqa: E402

UPSCALED = " - Upscaled by <@1>"


@pytest.fixture
def left(log_file, run):
    """`left(messages, filter=value)`: the captions that are left, and the titles and counts on the way."""

    def counted(messages, columns=None, **filters):
        files, columns = (log_file(messages),), columns or LogColumns()
        promptlog(PromptLogOptions(files=files, filters=LogFilters(**filters), columns=columns), run)
        told = json.loads((run.path / "promptlog.json").read_text(encoding="utf-8"))
        assert told["counts"][-1]["left"] == len(told["sample"])
        return [each["caption"] for each in told["sample"]], [count["left"] for count in told["counts"]]

    return counted


def by(user, prompt, day="2023-05-01", reactions="", link="http://h/a.png"):
    return [str(user), f"user {user}", day, f"**{prompt}** - <@1>", link, reactions]


def test_messages_without_a_prompt_are_dropped_and_each_filter_is_counted(left):
    messages = ["hello", "**a cat --v 5**", "**https://s.mj.run/x a dog**", "**--v 5**", "**a bird --v 4**"]
    assert left(messages, flags=("v 5",)) == (["a cat"], [5, 4, 3, 2, 1])


@pytest.mark.option("LogFilters.drop_links")
def test_prompts_that_begin_with_a_link_may_stay(left):
    messages = ["**<https://s.mj.run/x> a dog**", "**a cat**"]
    assert left(messages)[0] == ["a cat"]
    assert left(messages, drop_links=False)[0] == ["a dog", "a cat"]


@pytest.mark.option("LogFilters.flags", "LogFilters.without_flags")
def test_all_wanted_flags_must_be_there_and_none_of_the_others(left):
    messages = ["**a --v 5 --style raw**", "**b --v 5**", "**c --v 5 --style raw --tile**", "**d**"]
    assert left(messages, flags=("v 5", "--style raw"))[0] == ["a", "c"]
    assert left(messages, flags=("v 5",), without_flags=("tile",))[0] == ["a", "b"]


@pytest.mark.option("LogFilters.upscaled")
def test_only_single_pictures(left):
    messages = ["**a** - <@1>", f"**b**{UPSCALED}", "**c** - Image #2 <@1>"]
    assert left(messages, upscaled=True) == (["b", "c"], [3, 3, 3, 3, 2])


@pytest.mark.option("LogFilters.since", "LogFilters.until")
def test_days_bound_what_is_left_both_included(left):
    messages = [by(1, day, day) for day in ("2023-05-01T10:00:00", "02-May-23 01:00 PM", "2023-05-03", "never")]
    assert left(messages, since="2023-05-02")[1][-1] == 2
    assert left(messages, until="2023-05-02")[1][-1] == 2
    assert left(messages, since="2023-05-02", until="2023-05-02")[1][-1] == 1


@pytest.mark.option("LogFilters.words", "LogFilters.without_words")
def test_words_are_regular_expressions_on_the_prompt_without_its_parameters(left):
    messages = ["**a Cat**", "**a dog --style cat**", "**a catalogue**"]
    assert left(messages, words=r"\bcat\b")[0] == ["a Cat"]
    assert left(messages, without_words="cat")[0] == ["a dog"]


@pytest.mark.option("LogFilters.fewest_words", "LogFilters.most_words")
def test_lengths_bound_what_is_left(left):
    messages = ["**one**", "**one two --v 5**", "**one two three**"]
    assert left(messages, fewest_words=2)[0] == ["one two", "one two three"]
    assert left(messages, most_words=2)[0] == ["one", "one two"]


@pytest.mark.option("LogFilters.least_reactions", "LogColumns.reactions")
def test_reactions_are_added_up(left):
    messages = [by(1, "a", reactions="❤ (2), 👍 (3)"), by(1, "b", reactions="❤ (4)"), by(1, "c")]
    assert left(messages, least_reactions=5)[0] == ["a"]
    assert left(messages, columns=LogColumns(reactions=""), least_reactions=1)[0] == []


@pytest.mark.option("LogFilters.users_from", "LogFilters.users_to")
def test_users_are_placed_by_the_share_of_users_who_wrote_less(left):
    # Four users with 4, 2, 2 and 1 messages: their places are 0.75, 0.25, 0.25 and 0.
    messages = [by(user, f"{user}") for user, times in enumerate((4, 2, 2, 1)) for _ in range(times)]
    assert left(messages, users_from=0.25)[1][-1] == 8
    assert left(messages, users_from=0.26)[1][-1] == 4
    assert left(messages, users_to=0.25)[1][-1] == 5


@pytest.mark.option("LogFilters.one_per_prompt")
def test_the_first_message_of_a_prompt_is_kept(left):
    messages = [by(1, "a Cat --v 5", day="2023-05-01"), by(2, "A cat", day="2023-05-02"), by(2, "a dog")]
    assert left(messages, one_per_prompt=True) == (["a Cat", "a dog"], [3, 3, 3, 3, 2])


@pytest.mark.option(
    "LogColumns.content", "LogColumns.attachments", "LogColumns.author_id", "LogColumns.author", "LogColumns.date"
)
def test_columns_of_other_names_are_mapped(log_file, run):
    rows = [["**a**", "http://h/1.png", "7", "ann", "2023-05-01"], ["**b**", "", "8", "bob", "2023-05-02"]]
    path = log_file(rows, header=["Text", "Files", "Uid", "Who", "When"])
    columns = LogColumns(content="text", attachments="Files", author_id="uid", author="Who", date="WHEN")
    for filters in (LogFilters(until="2023-05-01"), LogFilters(users_from=0.9)):
        promptlog(PromptLogOptions(files=(path,), columns=columns, filters=filters), run)
    told = json.loads((run.path / "promptlog.json").read_text(encoding="utf-8"))
    assert told["counts"][-1]["left"] == 0  # two users of one message each are at place 0
    result = promptlog(PromptLogOptions(files=(path,), columns=columns, filters=LogFilters(until="2023-05-01")), run)
    assert result == {"messages": 1, "pictures": 1, "rejected": 0}
    told = json.loads((run.path / "promptlog.json").read_text(encoding="utf-8"))
    assert (told["users"], told["days"]) == ([["ann", 1]], ["2023-05-01", "2023-05-01"])


@pytest.mark.option("LogColumns.prompt")
def test_the_whole_message_may_be_the_prompt(left):
    assert left(["a cat --v 5", "**a dog**"], columns=LogColumns(prompt="all"))[0] == ["a cat", "a dog"]


@pytest.mark.option("LogColumns.encoding")
def test_an_encoding_that_is_told_is_taken(tmp_path, run):
    path = tmp_path / "a.csv"
    path.write_bytes("Content,Attachments\n**a ä**,http://h/1.png\n".encode("utf-16-le"))
    with pytest.raises(DataError, match="has no column 'Content'"):
        promptlog(PromptLogOptions(files=(path,), columns=LogColumns(encoding="latin-1")), run)
    assert promptlog(PromptLogOptions(files=(path,)), run)["messages"] == 1


def test_a_missing_column_is_named_with_those_that_are_there(log_file, run):
    path = log_file([], header=["Message", "Attachments"])
    with pytest.raises(DataError, match=r"has no column 'Content'.*Its columns are: Message, Attachments"):
        promptlog(PromptLogOptions(files=(path,)), run)


@pytest.mark.option("PromptLogOptions.files", "PromptLogOptions.columns", "PromptLogOptions.filters")
def test_several_files_and_folders_are_one_table(log_file, run, tmp_path):
    (tmp_path / "more").mkdir()
    files = (log_file(["**a**"], "one.csv"), tmp_path / "more")
    log_file(["**A**", "**b**"], "more/two.csv")
    result = promptlog(PromptLogOptions(files=files, filters=LogFilters(one_per_prompt=True)), run)
    assert result == {"messages": 2, "pictures": 2, "rejected": 0}


def test_the_same_picture_is_wanted_once_whatever_its_signature(log_file, run):
    link = "https://cdn.discordapp.com/1/2/a.png"
    links = [f"{link}?ex=1&is=2&hm=3,{link}?size=9", f"{link}?ex=4&is=5&hm=6", "", f"{link}?size=9&hm=7"]
    path = log_file([by(1, "a", link=each) for each in links])
    assert promptlog(PromptLogOptions(files=(path,)), run) == {"messages": 4, "pictures": 2, "rejected": 0}


def test_rejects_are_counted_and_named(tmp_path, run):
    path = tmp_path / "a.csv"
    path.write_bytes(b'Content,Attachments\n**a**,http://h/1\n"**b**,x\nContent,Attachments\n**c**\n**d**,\n')
    assert promptlog(PromptLogOptions(files=(path,)), run)["rejected"] == 3
    events = run.events_after(0)[0]
    (warning,) = [event.message for event in events if isinstance(event, Notice)]
    assert warning.startswith("3 rows of a.csv can't be read and are left out: 1 with")
    (table,) = [event for event in events if isinstance(event, Table) and "left out" in event.title]
    assert [row[0] for row in table.rows] == ["3", "4", "5"]


@pytest.mark.parametrize(("filters", "said"), [
    ({"words": "("}, "'filters.words' is '\\(', no regular expression"),
    ({"words": "(?=a)"}, "looking around"),
    ({"since": "May"}, "'filters.since' is 'May'; it must be a day"),
    ({"since": "2023-05-02", "until": "2023-05-01"}, "before 'filters.since'"),
    ({"fewest_words": 3, "most_words": 2}, "below 'filters.fewest_words'"),
    ({"users_from": 0.5, "users_to": 0.4}, "below 'filters.users_from'"),
])  # fmt: skip
def test_filters_that_cannot_be_are_refused_before_anything_is_read(log_file, run, filters, said):
    with pytest.raises(ConfigError, match=said):
        promptlog(PromptLogOptions(files=(log_file([]),), filters=LogFilters(**filters)), run)


def test_the_table_is_kept_for_the_next_time_and_made_anew_when_a_file_changes(log_file, run, monkeypatch):
    from lib_trainer.images.promptlog import table

    made = []
    fill = table._fill
    monkeypatch.setattr(table, "_fill", lambda *given: made.append(1) or fill(*given))
    options = PromptLogOptions(files=(log_file(["**a**"]),))
    assert [promptlog(options, run)["messages"] for _ in range(2)] == [1, 1]
    assert len(made) == 1
    log_file(["**a**", "**b**"])
    assert promptlog(options, run)["messages"] == 2
    assert len(made) == 2


def test_a_request_to_stop_ends_the_reading(log_file, run):
    run.request("stop")
    assert promptlog(PromptLogOptions(files=(log_file(["**a**"]),)), run) == {}
