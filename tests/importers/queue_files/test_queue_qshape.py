"""Tables as Postfix prints them: auxiliary/qshape/qshape.pl, and examples of QSHAPE_README."""

from __future__ import annotations

import pytest
from queue_lists import summed

from sendcap.errors import ConfigurationError
from sendcap.importers.queue_files import Queued

ACTIVE = """\
$ qshape        (show "incoming" and "active" queue status)
                 T  5 10 20 40 80 160 320 640 1280 1280+
          TOTAL  5  0  0  0  1  0   0   0   1    1     2
  meri.uwasa.fi  5  0  0  0  1  0   0   0   1    1     2
"""
DEFERRED = """\
$ qshape deferred
                    T   5  10  20  40   80  160 320 640 1280 1280+
           TOTAL 5000 200 200 400 800 1600 1000 200 200  200   200
       gmail.com 3400 160 160 320 640 1280  840   0   0    0     0
"""


def test_a_table_has_messages_by_domain_and_age(listed) -> None:
    queue = listed(ACTIVE)
    assert queue.format == "qshape"
    assert set(queue.queued) == {
        Queued("meri.uwasa.fi", "other", 1, 1200.0, 2400.0, None, 0.0),
        Queued("meri.uwasa.fi", "other", 1, 19_200.0, 38_400.0, None, 0.0),
        Queued("meri.uwasa.fi", "other", 1, 38_400.0, 76_800.0, None, 0.0),
        Queued("meri.uwasa.fi", "other", 2, 76_800.0, None, None, 0.0),
    }
    assert queue.notes == ()


def test_what_the_total_has_beyond_the_rows_is_of_other_domains(listed) -> None:
    # The rows below are cut off by `head`.
    queue = listed(DEFERRED)
    assert summed(queue, "provider") == {"gmail": 3400, "other": 1600}
    assert summed(queue, "due_s") == {None: 5000}
    assert queue.notes == (
        "1,600 messages of domains without a row, as the table is cut off, count as other.",
    )


def test_rows_above_their_total_leave_the_total_out(listed) -> None:
    # QSHAPE_README has such a table as example 4.
    queue = listed(DEFERRED.replace("3400", "3840").replace(" 840", "1280"))
    assert summed(queue, "provider") == {"gmail": 3840}
    assert queue.notes == (
        "1 table with more messages in the rows than in the row TOTAL, which is left out.",
    )


@pytest.mark.parametrize(
    ("label", "due_s", "held", "attempts"),
    [
        ("qshape active", 0.0, False, None),
        ("# sudo qshape -b 10 hold", None, True, None),
        ("== Deferred queue ==", None, False, None),
        ("incoming:", 0.0, False, 0),
        ("root@mx1:~# qshape incoming active deferred | head", None, False, None),
        ("qshape", 0.0, False, None),
    ],
)
def test_the_line_before_a_table_names_the_queue(listed, label, due_s, held, attempts) -> None:
    queue = listed(label + "\n" + ACTIVE.partition("\n")[2])
    for each in queue.queued:
        assert (each.due_s, each.held, each.attempts) == (due_s, held, attempts)
    assert queue.notes == ()


def test_without_such_a_line_the_queue_is_the_deferred_one(listed) -> None:
    queue = listed(ACTIVE.partition("\n")[2])
    assert summed(queue, "due_s") == {None: 5}
    assert " ".join(queue.notes) == (
        "No line before 1 table names the queue: taken as deferred. Write, for example, “qshape "
        "active” above a table."
    )


def test_tables_one_after_the_other_are_added(listed) -> None:
    assert summed(listed(ACTIVE + "\n" + DEFERRED), "due_s") == {0.0: 5, None: 5000}


def test_other_widths_of_columns_and_equal_steps(listed) -> None:
    # qshape -l -b 4 -t 10, and qshape -b 1.
    text = (
        "qshape -l -b 4 -t 10 deferred\n       T 10 20 30 30+\n TOTAL 6  1  2  3   0\n"
        " aol.com 6  1  2  3   0\nqshape -b 1 deferred\n       T 0+\n TOTAL 4  4\n me.com 4  4\n"
    )
    assert set(listed(text).queued) == {
        Queued("aol.com", "yahoo", 1, 0.0, 600.0),
        Queued("aol.com", "yahoo", 2, 600.0, 1200.0),
        Queued("aol.com", "yahoo", 3, 1200.0, 1800.0),
        Queued("me.com", "icloud", 4, 0.0, None),
    }


def test_the_old_column_of_the_active_queue(listed) -> None:
    # QSHAPE_README, example 3.
    text = """\
                           T   A   5  10  20  40  80 160 320 320+
                 TOTAL 11775 9996  0   0   1   1  42  94 221 1420
  user.sourceforge.net  7678 7678  0   0   0   0   0   0   0    0
 lists.sourceforge.net  2313 2313  0   0   0   0   0   0   0    0
        gzd.gotdns.com   102    0  0   0   0   0   0   0   2  100
"""
    queue = listed(text)
    assert summed(queue, "due_s") == {0.0: 9996, None: 1779}
    assert summed(queue, "domain") == {
        "user.sourceforge.net": 7678,
        "lists.sourceforge.net": 2313,
        "gzd.gotdns.com": 102,
        "": 1682,
    }


def test_tables_of_senders_parents_and_cut_names(listed) -> None:
    text = """\
$ qshape -s hold | head
             T  5 5+
     TOTAL 486  0 486
 yahoo.com 486  0 486
$ qshape -p deferred
                        T  5 5+
              TOTAL    30 10 20
       .example.com    20 10 10
+ong.name.example.com  20 10 10
          a.example.co 10  0 10
"""
    queue = listed(text)
    assert summed(queue, "domain") == {"": 20, "a.example.co": 10}
    assert [note.partition(" (")[0] for note in queue.notes] == [
        "1 table of senders left out",
        "1 cut or strange name taken as other",
        "1 row of parent domains left out",
    ]


def test_a_cut_or_wrong_row_is_counted(listed) -> None:
    queue = listed(
        "qshape deferred\n     T 5 5+\nTOTAL 9 4 5\n"
        "aol.com 5 2 2\nme.com 4 2\ngmx.de 4 2 2\nx -1 0 -1\n"
    )
    assert summed(queue, "domain") == {"gmx.de": 4, "": 5}
    assert queue.notes[1:] == (
        "1 line left out, line 4 first: its counts do not sum to their total.",
        "1 line left out, line 5 first: it has 3 cells, and its table has 4.",
    )


def test_huge_numbers_are_no_row(listed) -> None:
    with pytest.raises(ConfigurationError, match="lists 999,999,999,999 messages; at most 1,000"):
        listed("qshape active\n T 5 5+\nTOTAL 999999999999 999999999999 0\n")
    assert listed(f"qshape active\n T 5 5+\nTOTAL {'9' * 500} 0 0\n").queued == ()
