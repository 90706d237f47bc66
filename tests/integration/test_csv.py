"""Accounts from CSV files, as spreadsheets and other programs write them; and the files of rows that could not be done."""

import csv
import io
import json
import re
import subprocess
import unicodedata
import uuid

import pytest

from tests.support.between import Between
from tests.support.lab import IM_DOMAIN, open_lab
from tests.support.ldif import rdn_value, record, sid_bytes

ADDED = ["outcome", "reason"]


def person(lab, name, sam, alias, number) -> str:
    """LDIF of somebody with an account name of our choice."""
    return record(f"cn={rdn_value(name)},ou=People,{lab.server.suffix}", {
        "objectClass": ["top", "person", "organizationalPerson", "user"], "cn": name, "sn": name, "sAMAccountName": sam, "mailNickname": alias,
        "mail": f"{alias}@corp.example", "userAccountControl": "512", "objectGUID": uuid.UUID(int=number).bytes_le,
        "objectSid": sid_bytes(f"S-1-5-21-1-2-3-{number}")})


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    lab = open_lab("static", tmp_path_factory.mktemp("static"), count=60)
    lab.server.load(person(lab, "Łukasz Żak", "łukasz", "lukasz", 2077) + person(lab, "Jörg Mäder", "mäder", "maeder", 2078))
    lab.server.load(person(lab, "=evil", "=evil", "evil", 2079))
    yield lab
    lab.server.close()


@pytest.fixture
def ad(static):
    """Nobody is enabled, afterwards as before."""
    yield static
    with static.server.connection() as link:
        for dn in static.server.search("(msExchIMAddress=*)", ("1.1",), base=static.base):
            link.modify_s(dn, [(2, name, None) for name in static.server.entry(dn) if name.startswith("msExchIM")])


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    lab = open_lab("plain", tmp_path_factory.mktemp("plain"), count=20)
    yield lab
    lab.server.close()


def names(lab, count=3):
    """Account names of healthy people."""
    return [person["sam"] for person in lab.people.of("healthy")[:count]]


def rows(text) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def run(lab, content, *options, command="imenable", status=0):
    return lab.run(command, "--csv", lab.file("in.csv", content), "-o", "csv", *options, status=status)


def outcomes(lab, content, *options, **more) -> list[str]:
    return [row["outcome"] for row in rows(run(lab, content, *options, **more).stdout)]


def enabled(lab) -> set[str]:
    """Local parts of the addresses that there are."""
    found = lab.server.search("(msExchIMAddress=*)", ("msExchIMAddress",), base=lab.base)
    return {entry["msExchIMAddress"][0].decode().split("@")[0] for entry in found.values()}


def refused(lab, content, place, *words, options=(), command="imenable"):
    """Status 2, nothing written, nothing reported, and the message names the place."""
    before = lab.server.dump(operational=True)
    done = run(lab, content, *options, command=command, status=2)
    path = lab.folder / "in.csv"
    assert f"{path}:{place}: " in done.stderr, done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert done.stdout == "" and lab.server.dump(operational=True) == before
    return done


# ---- what spreadsheets write ----


@pytest.mark.parametrize("encode, said", [
    (lambda text: text.encode(), "UTF-8, "),
    (lambda text: text.encode("utf-8-sig"), "UTF-8 with a byte order mark"),
    (lambda text: b"\xff\xfe" + text.encode("utf-16-le"), "UTF-16LE with a byte order mark"),
    (lambda text: b"\xfe\xff" + text.encode("utf-16-be"), "UTF-16BE with a byte order mark"),
])
def test_encodings_of_unicode(ad, encode, said):
    done = run(ad, encode("account,note\nłukasz,Żak\n"), "-v")
    assert [row["outcome"] for row in rows(done.stdout)] == ["changed"]
    assert said in done.stderr and 'separated by ","' in done.stderr and 'account is the column "account"' in done.stderr
    assert enabled(ad) == {"lukasz"}


def test_windows_1252_is_told(ad):
    content = "account;note\nmäder;Jörg\n".encode("windows-1252")
    done = run(ad, content)
    assert enabled(ad) == {"maeder"} and "Windows-1252" in done.stderr and "--encoding" in done.stderr
    assert run(ad, content, "-q").stderr == ""
    assert run(ad, content, "--encoding", "windows-1252").stderr == ""
    assert 'windows-1252, separated by ";"' in run(ad, content, "-v").stderr


def test_encoding_that_is_said_decides(ad):
    content = "account\nłukasz\n".encode("iso-8859-2")
    assert outcomes(ad, content, status=1) == ["not-found"]
    assert outcomes(ad, content, "--encoding", "iso-8859-2") == ["changed"]
    assert outcomes(ad, "account\nłukasz\n".encode("utf-16-le"), "--encoding", "UTF-16LE") == ["unchanged"]
    assert outcomes(ad, "account\nłukasz\n".encode("utf-16-be"), "--encoding", "UTF-16BE") == ["unchanged"]
    assert "--encoding" in run(ad, content, "--encoding", "klingon", status=2).stderr


def test_utf_16_without_a_mark_says_what_to_do(ad):
    refused(ad, "account\nx\n".encode("utf-16-le"), "1:1", "--encoding UTF-16LE")


def test_mixed_bytes_name_the_place(ad):
    [first] = names(ad, 1)
    refused(ad, f"account,note\n{first},ä\nx,M".encode() + b"\xfcller\n", "3:4", "FC", "windows-1252")
    refused(ad, f"account,note\n{first},M".encode() + b"\xfcller\nx,\xc3\xa4\n", f"2:{len(first) + 3}", "FC")
    refused(ad, b"account\nM\xfcller\n", "2:2", "FC", options=("--encoding", "UTF-8"))
    refused(ad, b"\xef\xbb\xbfaccount\nM\xfcller\n", "2:2", "FC")


def test_bytes_that_mean_nothing(ad):
    done = run(ad, b"account,note\nx,a\x81\n", status=2)
    assert f"{ad.folder / 'in.csv'}:2:" in done.stderr and "81" in done.stderr


def test_truncated_utf_16_is_an_error(ad):
    content = b"\xff\xfe" + "account\nx\n".encode("utf-16-le")[:-1]
    before = ad.server.dump()
    assert run(ad, content, status=2).stderr != "" and ad.server.dump() == before


@pytest.mark.parametrize("separator, said", [(",", '","'), (";", '";"'), ("\t", "tabs"), ("|", '"|"')])
def test_separator_from_the_header(ad, separator, said):
    first, second = names(ad, 2)
    lines = [["account", "price", "home"], [first, '"1,5;2\t|"', "im2"], [second, "", ""]]
    done = run(ad, "".join(separator.join(line) + "\n" for line in lines), "-v")
    assert [(row["outcome"], row["home"]) for row in rows(done.stdout)] == [("changed", "im2"), ("changed", "im1")]
    assert f"separated by {said}" in done.stderr


def test_separator_that_is_said_decides(ad):
    [first] = names(ad, 1)
    text = f"account;a,b,c\n{first};x,y,z\n"
    refused(ad, text, "1", "no column names the account")
    assert outcomes(ad, text, "--separator", ";") == ["changed"]
    tabbed = f"account\ta,b,c\n{first}\tx,y,z\n"
    for word in ("tab", "\\t", "\t"):
        assert outcomes(ad, tabbed, "--separator", word) == ["unchanged"]
    assert outcomes(ad, f"account:a,b\n{first}:x\n", "--separator", ":") == ["unchanged"]
    for word in ("", ";;", '"', "ä"):
        assert "--separator" in run(ad, text, "--separator", word, status=2).stderr


def test_header_in_any_case_with_blanks(ad):
    first, second = names(ad, 2)
    done = run(ad, f" ACCOUNT , Home\u00a0,note\n\u00a0{first} \u00a0, IM2 ,x\n{second}\u00a0,,\n", "-v")
    assert [row["outcome"] for row in rows(done.stdout)] == ["changed", "changed"]
    assert "blanks" in done.stderr
    assert "im2.corp.example" in ad.im_values(ad.people.of("healthy")[0]["dn"])["msExchIMPhysicalURL"][0]
    assert "blanks" not in run(ad, f"account\n{first}\n", "-v").stderr


def test_columns_that_are_mapped(ad):
    first, second = names(ad, 2)
    text = f"Benutzer; Server ;account\n{first};im2;nobody\n{second};;nobody\n"
    done = run(ad, text, "--column", "account=benutzer", "--column", "HOME=server", "-v")
    assert [row["outcome"] for row in rows(done.stdout)] == ["changed", "changed"]
    assert 'account is the column "Benutzer"' in done.stderr and re.search(r'home is the column " ?Server ?"', done.stderr)
    assert "im2.corp.example" in ad.im_values(ad.people.of("healthy")[0]["dn"])["msExchIMPhysicalURL"][0]


def test_a_header_with_a_comma_is_named_in_quotes(ad):
    person = ad.people.one("healthy")
    table = ad.file("comma.csv", f'"Name, ""sam""";home\n{person["sam"]};im2\n')
    [row] = json.loads(ad.run("imenable", "-n", "--csv", table, "--column", 'account="Name, ""sam"""', "-o", "json").stdout)["accounts"]
    assert (row["outcome"], row["home"]) == ("changed", "im2")


@pytest.mark.parametrize("options, words", [
    (["--column", "account=Benutser"], ['"Benutser"', 'did you mean "Benutzer"']),
    (["--column", "acount=Benutzer"], ['"acount"', 'did you mean "account"']),
    (["--column", "Benutzer"], ["NAME=HEADER"]),
    (["--column", "account=Benutzer", "--column", "account=Server"], ["twice"]),
    ([], ["no column names the account", '"Benutzer"', "--column account="]),
])
def test_mappings_that_are_wrong(ad, options, words):
    done = run(ad, "Benutzer;Server\nx;y\n", *options, status=2)
    assert all(word in done.stderr for word in words), done.stderr


def test_two_columns_of_one_name(ad):
    refused(ad, "account,Account\nx,y\n", "1", "two columns")


# ---- who is meant ----


def test_each_column_forces_its_form(ad):
    people = ad.people.of("healthy")
    entry = ad.server.entry(people[0]["dn"])
    guid = str(uuid.UUID(bytes_le=entry["objectGUID"][0]))
    sid = entry["objectSid"][0]
    sid_text = f"S-{sid[0]}-{int.from_bytes(sid[2:8], 'big')}" + "".join(f"-{int.from_bytes(sid[i:i + 4], 'little')}" for i in range(8, len(sid), 4))
    cells = {"dn": people[0]["dn"], "objectGUID": guid, "OBJECTSID": sid_text, "account": people[0]["sam"], "sAMAccountName": people[0]["sam"],
             "uid": people[0]["sam"], "userPrincipalName": entry["userPrincipalName"][0].decode(), "mail": people[0]["mail"]}
    for name, value in cells.items():
        quoted = value.replace('"', '""')
        [row] = rows(run(ad, f'{name}\n"{quoted}"\n').stdout)
        assert row["account"] == people[0]["sam"], name
    assert outcomes(ad, f"objectGUID\n{{{guid.upper()}}}\n") == ["unchanged"]
    assert outcomes(ad, f"account\nmail:{people[0]['mail']}\n") == ["unchanged"]
    assert outcomes(ad, f"account\n{guid}\n") == ["unchanged"]


@pytest.mark.parametrize("column, value", [
    ("sAMAccountName", "mail"), ("uid", "mail"), ("sAMAccountName", "dn")])
def test_a_form_that_is_forced_is_no_other(ad, column, value):
    assert outcomes(ad, f'{column}\n"{ad.people.one("healthy")[value]}"\n', status=1) == ["not-found"]


@pytest.mark.parametrize("column, value", [("dn", "no DN"), ("objectGUID", "12"), ("objectSid", "S-x"), ("mail", "jdoe")])
def test_a_form_that_cannot_be_is_an_error_of_the_cell(ad, column, value):
    refused(ad, f"note,{column}\n1,{value}\n", "2:3")


@pytest.mark.parametrize("kind", ["umlaut", "comma"])
def test_difficult_dns(ad, kind):
    dns = [who["dn"] for who in ad.people.of(kind)[:2]]
    out = io.StringIO()
    csv.writer(out).writerows([["DN"], *([dn] for dn in dns)])
    found = rows(run(ad, out.getvalue()).stdout)
    assert [row["outcome"] for row in found] == ["changed"] * len(dns)
    out = io.StringIO()
    csv.writer(out).writerows([["dn"], *([row["dn"].upper()] for row in found)])
    assert outcomes(ad, out.getvalue()) == ["unchanged"] * len(dns)


def test_uid_of_plain_directories(plain):
    first, second = names(plain, 2)
    found = rows(run(plain, f"uid\n{first}\n").stdout) + rows(run(plain, f"account,uid\n,{second}\n").stdout)
    assert [row["account"] for row in found] == [first, second]


def test_the_first_cell_that_is_not_empty_names_the_account(ad):
    people = ad.people.of("healthy")[:4]
    header = "mail,userPrincipalName,uid,sAMAccountName,account,dn\n"
    text = header + "".join([f'nobody@x,nobody@x,nobody,nobody,nobody,"{people[0]["dn"]}"\n', f"nobody@x,nobody@x,nobody,nobody,{people[1]['sam']}, \n",
                             f"nobody@x,nobody@x,nobody,{people[2]['sam']},\u00a0,\n", f"{people[3]['mail']},,,,,\n"])
    found = rows(run(ad, text).stdout)
    assert [row["account"] for row in found] == [person["sam"] for person in people]


def test_typed_and_stored_forms_of_a_name(ad):
    """What is written comes from the directory's own spelling."""
    decomposed = unicodedata.normalize("NFD", "mäder")
    [row] = rows(run(ad, f"account\n{decomposed}\n").stdout)
    assert (row["account"], row["outcome"]) == ("mäder", "changed") and enabled(ad) == {"maeder"}


def test_same_account_twice_is_changed_once(ad):
    person = ad.people.one("healthy")
    writes = len(ad.modifies())
    text = f"account,dn\n{person['sam']},\n{person['sam'].upper()},\n,\"{person['dn']}\"\n"
    assert outcomes(ad, text) == ["changed", "unchanged", "unchanged"]
    assert len(ad.modifies()) == writes + 1


# ---- the shape of the file ----


@pytest.mark.parametrize("text", [
    "account,note\r\nA,x\r\nB,y\r\n",
    "account,note\nA,x\nB,y",
    "account,note\r\nA,x\r\nB,y",
    "\n\naccount,note\n\nA,x\n\r\n  \nB,y\n\n\n",
    'account,note\nA,"line 1\nline 2"\nB,"y"\n',
    'account,note\nA,"said ""hello"", and went"\nB,""\n',
    '"account","note"\n"A","x"\n"B",",;|"\n',
    "account,note\nA,  \nB,'\n",
    "account,,\nA,,\nB,,x\n",
])
def test_shapes_that_are_fine(ad, text):
    first, second = names(ad, 2)
    assert outcomes(ad, text.replace("A,", f"{first},").replace('"A"', first).replace("B,", f"{second},").replace('"B"', second)) == ["changed"] * 2


def test_lines_are_those_of_the_file(ad):
    [first] = names(ad, 1)
    done = ad.run("imenable", "-o", "json", "--csv", ad.file("in.csv", f'account,note\r\n\r\n{first},"a\r\nb\r\nc"\r\nnobody,x'), status=1)
    path = ad.folder / "in.csv"
    assert [account["source"] for account in json.loads(done.stdout)["accounts"]] == [f"{path}:3", f"{path}:6"]


@pytest.mark.parametrize("text, place, words", [
    ("account,note\nA,x\nA\n", "3:1", ["1 cell", "2"]),
    ("account,note\nA,x,y\n", "2:5", ["3 cells", "2"]),
    ("account,note\nA,\"x\ny\n", "2:3", ["never closed"]),
    ("account,note\nA,x\nx\0y,z\n", "3:2", ["NUL"]),
    ("account,note\nA,x\n ,y\n", "3:1", ["empty"]),
    ("note,account,dn\nx,A,\nx,,\n", "3:4", ["empty"]),
    ("account,home\nA,im1\nB,im9\n", "3:3", ["im9"]),
    ("account,note,home\nA,\"x\ny\",im9\n", "3:4", ["im9"]),
    ("account,domain\nA,elsewhere.example\n", "2:3", ["elsewhere.example"]),
    ("account,address\nA,{alias}@{domain}\nB,{nick}@x\n", "3:3", ["nick"]),
    ("account,address\nA,{alias\n", "2:3", []),
    ("account,address\nÄ,é,{alias\n", "2:5", ["3 cells"]),
    ("account,n\"ote\nA,x\"y\"z\n\"A\"x,y\n", "3:4", ["quote"]),
    ("", "1", ["empty"]),
    ("\"account,note\nA,x\n", "1:1", ["never closed"]),
    ("acc\0ount,note\nA,x\n", "1:4", ["NUL"]),
    ("account\n", "", []),
    ("account,note\n\n", "", []),
])
def test_mistakes_stop_the_run_before_it_writes(ad, text, place, words):
    before = ad.server.dump(operational=True)
    done = run(ad, text, status=2)
    path = ad.folder / "in.csv"
    assert (f"{path}:{place}: " if place else f"{path}: ") in done.stderr and all(word in done.stderr for word in words), done.stderr
    assert done.stdout == "" and ad.server.dump(operational=True) == before


def test_one_bad_row_of_many_holds_all_back(ad):
    people = names(ad, 5)
    text = "account,home\n" + "".join(f"{name},{'im7' if n == 3 else ''}\n" for n, name in enumerate(people))
    refused(ad, text, f"5:{len(people[3]) + 2}", "im7")
    assert outcomes(ad, text, "--skip-bad-rows", status=1) == ["changed", "changed", "changed", "refused", "changed"]


@pytest.mark.parametrize("text, words", [
    ("account,note\nx,\"" + "y" * (1 << 20) + "\n\n", ["2:3", "1 MiB", "never closed"]),
    ("account,note\nx" + "," * 5000 + "\n", ["2:", "4096"]),
])
def test_rows_beyond_all_measure(ad, text, words):
    done = run(ad, text, status=2)
    assert all(word in done.stderr for word in words) and len(done.stderr) < 1000


def test_file_that_cannot_be_read(ad):
    for path in (ad.folder / "none.csv", ad.folder):
        done = ad.run("imenable", "--csv", path, status=2)
        assert str(path) in done.stderr and done.stdout == ""


# ---- rows that are skipped, and rows that were not done ----


def test_bad_rows_go_to_the_rejects_and_come_back_mended(ad):
    first, second, third, fourth = names(ad, 4)
    rejects = ad.folder / "rejects.csv"
    text = (f'account;note;home\n{first};"=1+1";\n;empty;\n{second};"a;b\nc ""d""";im9\n{third};short\n{fourth};x;im1;long\nnobody;-5;\n'
            "x\0y;nul;\n")
    done = run(ad, text, "--skip-bad-rows", "--rejects", rejects, status=1)
    found = rows(done.stdout)
    assert [row["outcome"] for row in found] == ["changed", "refused", "refused", "refused", "refused", "not-found", "refused"]
    assert [row["reason"] for row in found if row["outcome"] == "refused"] == ["bad-row"] * 5
    assert found[2]["message"].startswith("column ") and "im9" in found[2]["message"]
    table = list(csv.reader(io.StringIO(rejects.read_text(), newline=""), delimiter=";"))
    assert table[0] == ["account", "note", "home", *ADDED]
    assert table[1][:4] == ["", "empty", "", "refused"] and "empty" in table[1][4]
    assert table[2][:4] == [second, 'a;b\nc "d"', "im9", "refused"] and "im9" in table[2][4]
    assert table[3][:3] == [third, "short", "refused"]  # still short, so that it is met again
    assert table[4][:5] == [fourth, "x", "im1", "long", "refused"]
    assert table[5][:4] == ["nobody", "-5", "", "not-found"]
    assert table[6][1:4] == ["nul", "", "refused"]
    mended = [table[0], [fourth, "mended", "im2", *table[1][3:]], [second, table[2][1], "im2", *table[2][3:]], [third, "short", "", *table[3][2:]], table[5]]
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(mended)
    again = run(ad, out.getvalue(), "--rejects", rejects, status=1)
    assert [row["outcome"] for row in rows(again.stdout)] == ["changed", "changed", "changed", "not-found"]
    table = list(csv.reader(io.StringIO(rejects.read_text(), newline=""), delimiter=";"))
    assert table == [["account", "note", "home", *ADDED], ["nobody", "-5", "", "not-found", table[1][4]]]


def test_a_quote_that_is_never_closed_can_be_skipped(ad):
    first, rejects = names(ad, 1)[0], ad.folder / "rejects.csv"
    assert outcomes(ad, f'account,note\n{first},x\nother,"y\nz,1\n', "--skip-bad-rows", "--rejects", rejects, status=1) == ["changed", "refused"]
    [row] = rows(rejects.read_text())
    assert row["account"] == "other" and "never closed" in row["reason"] and row["note"].rstrip("\n") == "y\nz,1"
    refused(ad, f'"account\n{first}\n', "1:1", "never closed", options=("--skip-bad-rows",))


@pytest.mark.parametrize("mark, encoding, options", [
    (b"", "iso-8859-2", ["--encoding", "iso-8859-2"]), (b"", "utf-16-be", ["--encoding", "UTF-16BE"]), (b"\xff\xfe", "utf-16-le", []),
    (b"", "windows-1252", ["--encoding", "windows-1252"]), (b"\xef\xbb\xbf", "utf-8", []), (b"", "utf-8", [])])
def test_the_options_that_read_a_file_read_its_rejects(ad, mark, encoding, options):
    rejects = ad.folder / "rejects.csv"
    content = mark + "account;note\nmäder;Jörg\nnöbody;ä\n".encode(encoding)
    assert outcomes(ad, content, *options, "--rejects", rejects, status=1) == ["changed", "not-found"]
    written = rejects.read_bytes()
    assert written.startswith(mark + "account;note;outcome;reason\nnöbody;ä;not-found;".encode(encoding))
    [row] = rows(run(ad, written, *options, "--rejects", rejects, status=1).stdout)
    assert "nöbody" in row["account"] and rejects.read_bytes() == written


def test_what_an_encoding_does_not_have(ad):
    rejects = ad.folder / "rejects.csv"
    table = ad.file("in.csv", "account;x\nä;y\n".encode("windows-1252"))
    ad.run("imenable", "--csv", table, "--encoding", "windows-1252", "--rejects", rejects, "Łukas", status=1)
    assert [line[:4] for line in rejects.read_text("windows-1252").splitlines()[1:]] == ["?uka", "ä;y;"]


def test_a_guess_is_not_carried_on(ad):
    rejects = ad.folder / "rejects.csv"
    assert outcomes(ad, "account;x\nmäder;y\nnöbody;y\n".encode("windows-1252"), "--rejects", rejects, status=1) == ["changed", "not-found"]
    assert rejects.read_text("utf-8").splitlines()[1].startswith("nöbody;y;not-found;")
    done = run(ad, rejects.read_bytes(), status=1)
    assert "Windows-1252" not in done.stderr and "nöbody" in done.stdout


def test_a_nul_is_met_again(ad):
    [first] = names(ad, 1)
    rejects = ad.folder / "rejects.csv"
    text = f"account,note\n{first[:2]}\0{first[2:]},x\ny,\0\n"
    found = rows(run(ad, text, "--skip-bad-rows", "--rejects", rejects, status=1).stdout)
    assert [(row["account"], row["outcome"]) for row in found] == [("", "refused"), ("y", "refused")]
    assert [line.split(",refused")[0] for line in rejects.read_text().splitlines()[1:]] == text.splitlines()[1:]
    refused(ad, rejects.read_bytes(), "2:3", "NUL")


def test_an_encoding_that_the_mark_contradicts(ad):
    for mark, name in ((b"\xef\xbb\xbf", "UTF-8"), (b"\xff\xfe", "UTF-16")):
        refused(ad, mark + b"account\nx\n", "1:1", f"mark of {name}", options=("--encoding", "windows-1252"))


def test_columns_of_ours_are_overwritten_where_they_are(ad):
    [first] = names(ad, 1)
    rejects = ad.folder / "rejects.csv"
    text = f"Reason,account, OUTCOME \nold,nobody,old\nold,{first},old\n"
    run(ad, text, "--rejects", rejects, status=1)
    table = list(csv.reader(io.StringIO(rejects.read_text())))
    assert len(table) == 2 and [len(line) for line in table] == [3, 3]
    assert table[1][1:] == ["nobody", "not-found"] and table[1][0] not in ("old", "")
    assert outcomes(ad, rejects.read_text(), status=1) == ["not-found"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_cells_of_the_user_stay_as_they_were(ad, separator):
    cells = ["nobody", "=1+1", "@SUM(A1)", "+49 30", "-1", "'=x", "a,b", "a;b", "a|b", "a\tb", 'say "x"', "two\r\nlines", " blank ", "ä€Ł", ""]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator)
    writer.writerow(["account", *(f"c{n}" for n in range(1, len(cells)))])
    writer.writerow(cells)
    rejects = ad.folder / "rejects.csv"
    run(ad, out.getvalue(), "--rejects", rejects, status=1)
    with rejects.open(newline="") as file:
        table = list(csv.reader(file, delimiter=separator))
    assert table[1][:-2] == cells and table[0][-2:] == ADDED


def test_accounts_that_are_no_rows_are_among_the_rejects(ad):
    path, rejects = ad.file("in.csv", "x,account\n1,absent\n"), ad.folder / "rejects.csv"
    ad.run("imenable", "nobody", "--csv", path, "--rejects", rejects, status=1)
    assert [(row["x"], row["account"], row["outcome"]) for row in rows(rejects.read_text())] == [("", "nobody", "not-found"), ("1", "absent", "not-found")]
    ad.run("imenable", "nobody", "--csv", ad.file("in.csv", "mail\nabsent@corp.example\n"), "--rejects", rejects, status=1)
    found = rows(rejects.read_text())
    assert [row["mail"] for row in found] == ["", "absent@corp.example"] and "nobody" in found[0]["reason"]


def test_rows_done_are_not_in_the_rejects(ad):
    rejects = ad.folder / "rejects.csv"
    for _ in range(2):  # changed, then unchanged
        run(ad, "account\n" + "".join(f"{name}\n" for name in names(ad)), "--rejects", rejects)
        assert rejects.read_text() == "account,outcome,reason\n"


def test_refused_and_failed_rows_are_in_the_rejects(ad):
    off, dead = ad.people.one("disabled")["sam"], ad.people.one("unsafe-alias")["sam"]
    rejects = ad.folder / "rejects.csv"
    run(ad, f"account,team\n{off},a\n{dead},b\nnobody,c\n", "--rejects", rejects, status=1)
    found = rows(rejects.read_text())
    assert [(row["account"], row["team"], row["outcome"]) for row in found] == [(off, "a", "refused"), (dead, "b", "refused"), ("nobody", "c", "not-found")]
    assert [row["reason"] for row in found][:2] == ["account-disabled", "account-alias-unsafe"]


def test_a_dry_run_writes_rejects_as_the_run_would(ad):
    rejects = ad.folder / "rejects.csv"
    run(ad, "account\nnobody\n", "-n", "--rejects", rejects, status=1)
    assert rows(rejects.read_text())[0]["outcome"] == "not-found"


def test_rejects_may_be_the_file_that_is_read(ad):
    path = ad.file("same.csv", f"account\n{names(ad, 1)[0]}\nnobody\n")
    ad.run("imenable", "--csv", path, "--rejects", path, status=1)
    assert [row["account"] for row in rows(path.read_text())] == ["nobody"]


@pytest.mark.parametrize("path", ["/dev/null", ".", "-", "no/such/folder/r.csv"])
def test_rejects_only_into_files(ad, path):
    before = ad.server.dump()
    done = run(ad, f"account\n{names(ad, 1)[0]}\n", "--rejects", path, status=2)
    assert "--rejects" in done.stderr and ad.server.dump() == before


def test_a_run_that_could_not_begin_leaves_the_rejects_alone(ad):
    rejects = ad.file("rejects.csv", "as it was\n")
    run(ad, "account,home\nx,im9\n", "--rejects", rejects, status=2)
    assert rejects.read_text() == "as it was\n" and [p.name for p in ad.folder.glob("rejects.csv*")] == ["rejects.csv"]


@pytest.mark.parametrize("option", [["--column", "account=x"], ["--separator", ";"], ["--encoding", "UTF-8"], ["--skip-bad-rows"], ["--rejects", "r"]])
def test_options_about_a_file_want_one(ad, option):
    done = ad.run("imenable", *option, "x", status=2)
    assert option[0] in done.stderr and "--csv" in done.stderr


# ---- formulas ----


def test_formulas_are_guarded_in_results_and_taken_back(ad):
    for value in ("=cmd", "+cmd", "-cmd", "@cmd"):
        [row] = rows(run(ad, f"account,note\n{value},x\n", status=1).stdout)
        assert row["outcome"] == "not-found" and row["account"] in ("", f"'{value}") and not row["message"].startswith(tuple("=+-@"))
    for value in ("=evil", "'=evil"):
        done = run(ad, f"account\n{value}\n")
        [row] = rows(done.stdout)
        assert row["account"] == "'=evil" and row["outcome"] in ("changed", "unchanged")
    assert outcomes(ad, done.stdout, command="imdisable") == ["changed"]
    assert enabled(ad) == set()


def test_a_quote_before_anything_else_stays(ad):
    [row] = rows(run(ad, "account\n'tis\n", status=1).stdout)
    assert row["outcome"] == "not-found" and "'tis" in row["account"] + row["message"]


# ---- rows that contradict each other ----


@pytest.mark.parametrize("header, one, other", [("account,home", ",im1", ",im2"), ("account,address", ",", ",x@{domain}"), ("account,home,address", ",,", ",im1,")])
def test_contradicting_rows_stop_the_run(ad, header, one, other):
    [first] = names(ad, 1)
    refused(ad, f"{header}\nfirst{one}\n{first}{one}\n\n{first.upper()}{other}\n", "5:1", "line 3")


def test_contradicting_rows_can_be_skipped(ad):
    first, second = names(ad, 2)
    text = f"account,home\n{first},im1\n{second},im2\n{first},im2\n"
    found = rows(run(ad, text, "--skip-bad-rows", "--max-changes", "9", "--rejects", ad.folder / "rejects.csv", status=1).stdout)
    assert [row["outcome"] for row in found] == ["changed", "changed", "refused"]
    assert "line 2" in found[2]["message"]
    assert "line 2" in rows((ad.folder / "rejects.csv").read_text())[0]["reason"]
    assert "im1.corp" in ad.im_values(ad.people.of("healthy")[0]["dn"])["msExchIMPhysicalURL"][0]


def test_the_same_request_twice_is_none(ad):
    [first] = names(ad, 1)
    assert outcomes(ad, f"account,home\n{first},im2\n{first.upper()},IM2\n") == ["changed", "unchanged"]


def test_two_names_of_one_account_that_ask_for_different_things(ad):
    person = ad.people.one("healthy")
    found = rows(run(ad, f"account,home\n{person['sam']},im1\n{person['mail']},im2\n", "--rejects", ad.folder / "rejects.csv", status=1).stdout)
    assert [(row["outcome"], row["reason"]) for row in found] == [("changed", ""), ("refused", "contradicting-line")]
    assert found[1]["message"].startswith(f"{ad.folder}/in.csv:2 names the same account")
    assert rows((ad.folder / "rejects.csv").read_text())[0]["reason"] == "contradicting-line"


def test_an_address_is_given_to_the_first_who_asks(ad):
    first, second, third = names(ad, 3)
    text = f"account,address\n{first},shared@{{domain}}\n{second},SHARED@{IM_DOMAIN}\n{third},\n"
    found = rows(run(ad, text, status=1).stdout)
    assert [(row["outcome"], row["reason"]) for row in found] == [("changed", ""), ("refused", "account-address-duplicate"), ("changed", "")]
    assert ad.im_values(ad.people.of("healthy")[0]["dn"])["msExchIMAddress"] == [f"shared@{IM_DOMAIN}"]


def test_cells_decide_over_options(ad):
    first, second, third = (person["dn"] for person in ad.people.of("healthy")[:3])
    one, two, three = names(ad, 3)
    run(ad, f"account,home,address\n{one},,\n{two},im1,\n{three},auto,own.{{alias}}@{{domain}}\n", "--home", "im2")
    assert "im2.corp" in ad.im_values(first)["msExchIMPhysicalURL"][0] and "im1.corp" in ad.im_values(second)["msExchIMPhysicalURL"][0]
    assert ad.im_values(third)["msExchIMAddress"] == [f"own.{three}@{IM_DOMAIN}"]


def test_home_by_any_of_its_names(ad):
    [first] = names(ad, 1)
    for home in ("IM2", "im2.CORP.example", ad.homes[1]):
        run(ad, f'account,home\n{first},"{home}"\n')
        assert "im2.corp" in ad.im_values(ad.people.of("healthy")[0]["dn"])["msExchIMPhysicalURL"][0]


def test_a_domain_that_is_allowed_anyway(ad):
    [first] = names(ad, 1)
    done = run(ad, f"account,domain\n{first},elsewhere.example\n", "--allow", "account-domain-unknown")
    assert rows(done.stdout)[0]["address"] == f"{first}@elsewhere.example"


# ---- pipes ----


def test_findings_without_accounts_are_passed_over(ad):
    person, other = ad.people.of("healthy")[:2]
    text = ("rule,severity,scope,account,dn,subject,message,remedy\n"
            f'account-attrs-partial,error,account,{person["sam"]},"{person["dn"]}",,x,"imenable x"\n'
            "dns-srv-missing,error,dns,,,_rvp._tcp,no record,\nserver-down,error,server,,,im1,x,\n"
            f'account-attrs-partial,error,account,{other["sam"]},,,x,\n')
    assert outcomes(ad, text) == ["changed", "changed"]
    assert outcomes(ad, text, "--max-changes", "0") == ["unchanged", "unchanged"]
    refused(ad, text + ",,,,,,,\n", "6:5", "empty")


def test_only_findings_without_accounts_are_nobody(ad):
    done = run(ad, "rule,account,dn\nserver-down,,\n", status=None)
    assert done.returncode in (0, 2) and "Traceback" not in done.stderr


@pytest.mark.parametrize("more", [[], ["--max-changes", "5"], ["--max-changes", "100%", "-n"]])
def test_standard_input(ad, more):
    people = names(ad, 3)
    text = "account,home\r\n" + "".join(f"{name},im2\r\n" for name in people)
    done = ad.run("imenable", "--csv", "-", "-o", "csv", *more, stdin=text)
    assert [row["outcome"] for row in rows(done.stdout)] == ["changed"] * 3
    assert enabled(ad) == (set() if "-n" in more else set(people))


def test_mistakes_in_standard_input(ad):
    assert "standard input:2:3: " in ad.run("imenable", "--csv", "-", stdin="account,home\nx,im9\n", status=2).stderr
    assert ad.run("imenable", "--csv", "-", stdin="", status=2).stdout == ""


def test_limit_of_changes_over_a_file(ad):
    done = run(ad, "account\n" + "".join(f"{name}\n" for name in names(ad)), "--max-changes", "2", status=None)
    assert done.returncode != 0 and "--max-changes" in done.stderr and enabled(ad) == set()
    assert {row["outcome"] for row in rows(done.stdout)} <= {"not-attempted"}


def test_results_are_a_file_for_the_next_command(ad):
    people = [*names(ad), "mäder", "łukasz"]
    done = run(ad, "account\n" + "".join(f"{name}\n" for name in people))
    again = ad.run("imenable", "--csv", "-", "-o", "csv", stdin=done.stdout)
    assert [row["outcome"] for row in rows(again.stdout)] == ["unchanged"] * 5
    off = ad.run("imdisable", "--csv", "-", "-o", "csv", stdin=again.stdout)
    assert [row["outcome"] for row in rows(off.stdout)] == ["changed"] * 5 and enabled(ad) == set()


def test_consent_of_a_pipe_is_for_names_only(ad):
    """What is piped in is never an answer."""
    done = ad.run("imdisable", "--csv", "-", "--filter", "(cn=*)", stdin="account\ny\nyes\n", status=2)
    assert "--yes" in done.stderr


@pytest.mark.parametrize("more", [[], ["--max-changes", "5"]])
def test_pipes_with_a_name(ad, more):
    people = names(ad, 2)
    done = ad.run("imenable", "--csv", "/dev/stdin", "-o", "csv", *more, stdin="account\n" + "\n".join(people))
    assert [row["outcome"] for row in rows(done.stdout)] == ["changed"] * 2 and enabled(ad) == set(people)


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
def test_output_is_utf_8_in_every_locale(ad, locale):
    rejects = ad.folder / "rejects.csv"
    path = ad.file("in.csv", "account,home\nłukasz,\nŁódź,\n")
    done = subprocess.run(ad.command("imenable", "--csv", path, "-o", "csv", "--rejects", rejects), env=ad.environment() | {"LC_ALL": locale},
                          cwd=ad.folder, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert [row["outcome"] for row in rows(done.stdout.decode())] == ["changed", "not-found"]
    assert "Łukasz Żak" in rows(done.stdout.decode())[0]["dn"].replace("\\C5\\81", "Ł").replace("\\C5\\BB", "Ż")
    assert rows(rejects.read_text("utf-8"))[0]["account"] == "Łódź"


def test_output_that_cannot_be_written(ad):
    path = ad.file("in.csv", "account\nłukasz\n")
    with open("/dev/full", "w") as full:
        done = subprocess.run(ad.command("imenable", "--csv", path, "-n"), env=ad.environment(), cwd=ad.folder, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 4 and done.stderr


def test_every_message_names_its_row(ad):
    people = names(ad, 10)
    people[6] = "nobody"
    path = ad.file("in.csv", "account\n" + "".join(f"{name}\n" for name in people))
    done = ad.run("imenable", "--csv", path, "-o", "jsonl", status=1)
    [account] = [found for found in map(json.loads, done.stdout.splitlines()) if found.get("outcome") == "not-found"]
    assert (account["input"], account["source"]) == ("nobody", f"{path}:8")


def test_rows_after_a_stop_are_told(ad):
    """Every row appears once, also those that were not tried; what is left over can be fed back."""
    people, rejects = names(ad, 10), ad.folder / "rejects.csv"
    path = ad.file("in.csv", "account,n\n" + "".join(f"{name},{n}\n" for n, name in enumerate(people)) + ",bad\n")
    with Between(ad.server.port) as proxy:
        proxy.before("modify", 4, proxy.cut)
        done = ad.run("imenable", *ad.behind(proxy), "--csv", path, "-o", "csv", "--window", "1", "--skip-bad-rows", "--rejects", rejects, status=4)
        assert proxy.failure is None
    found = rows(done.stdout)
    assert [row["account"] for row in found][:10] == people and len(found) == 11
    left = [row["account"] for row in found if row["outcome"] not in ("changed", "unchanged")]
    assert [row["account"] for row in rows(rejects.read_text())] == left and len(left) == 8
    assert [row["n"] for row in rows(rejects.read_text())] == [*map(str, range(3, 10)), "bad"]
    again = run(ad, rejects.read_text(), "--skip-bad-rows", status=1)
    assert {row["outcome"] for row in rows(again.stdout)} == {"changed", "refused"} and enabled(ad) == set(people)


def test_limit_of_changes_leaves_all_rows_over(ad):
    people, rejects = names(ad, 5), ad.file("rejects.csv", "of an earlier run")
    done = run(ad, "account\n" + "".join(f"{name}\n" for name in people), "--max-changes", "1", "--rejects", rejects, status=None)
    assert done.returncode in (2, 4) and enabled(ad) == set()
    assert [(row["outcome"], row["message"]) for row in rows(done.stdout)] == [("not-attempted", "a limit stopped the run before this account")] * 5
    assert [row["account"] for row in rows(rejects.read_text())] == people


def test_a_report_that_cannot_begin_leaves_all_as_it_was(ad):
    text = "account\n" + "".join(f"{name}\n" for name in names(ad, 10))
    path = ad.file("same.csv", text)
    with open("/dev/full", "w") as full:
        done = subprocess.run(ad.command("imenable", "--csv", path, "-o", "csv", "--rejects", path), env=ad.environment(), cwd=ad.folder,
                              stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 4
    assert (path.read_text() == text and enabled(ad) == set()) or [row["account"] for row in rows(path.read_text())] == [
        name for name in names(ad, 10) if name not in enabled(ad)]


def test_a_run_without_a_server_leaves_the_file_alone(ad):
    text = f"account\n{names(ad, 1)[0]}\n"
    path = ad.file("same.csv", text)
    config = ad.write_config("nowhere.yaml", f"ldapi://{str(ad.folder / 'none').replace('/', '%2F')}")
    ad.run("imenable", "--config", config, "--csv", path, "--rejects", path, status=3)
    assert path.read_text() == text and [p.name for p in ad.folder.glob("same.csv*")] == ["same.csv"]


def test_many_rows(ad):
    """More than are looked up, planned or written at a time."""
    people = [who for who in ad.people.of("healthy") if who["mail"]]
    text = "account,home\n" + "".join(f"{people[n % len(people)]['sam']},im2\n" for n in range(5000)) + f"{people[0]['mail']},im1\n"
    for more in ([], ["--max-changes", "5000"]):
        found = rows(run(ad, text, *more, status=1).stdout)
        assert len(found) == 5001 and found[-1]["reason"] == "contradicting-line"
        assert {row["outcome"] for row in found[len(people):-1]} == {"unchanged"}
    assert len(enabled(ad)) == len(people)
    refused(ad, text + f"{people[1]['sam']},im1\n", "5003:1", "line 3")


# ---- disabling ----


def test_disabling_takes_only_the_names(ad):
    first, second = names(ad, 2)
    run(ad, f"account\n{first}\n{second}\n")
    text = f"account,home,domain,address\n{first},gone-server,nowhere.example,{{broken\n{second},,,\n{first},im2,,\n"
    assert outcomes(ad, text, command="imdisable") == ["changed", "changed", "unchanged"]
    assert enabled(ad) == set()


def test_disabling_has_the_same_files(ad):
    [first] = names(ad, 1)
    run(ad, f"account\n{first}\n")
    rejects = ad.folder / "rejects.csv"
    text = f"\ufeffLogin;x\r\n{first};1\r\n;2\r\nnobody;=3\r\n"
    options = ("--column", "account=login", "--skip-bad-rows", "--rejects", rejects)
    assert outcomes(ad, text, *options, command="imdisable", status=1) == ["changed", "refused", "not-found"]
    assert [line[:3] for line in csv.reader(io.StringIO(rejects.read_text("utf-8-sig")), delimiter=";")] == [
        ["Login", "x", "outcome"], ["", "2", "refused"], ["nobody", "=3", "not-found"]]
    refused(ad, text, "3:1", "empty", options=options[:2], command="imdisable")


def test_cells_take_attributes_of_the_account(ad):
    titles = {person["sam"]: ad.server.entry(person["dn"])["title"][0].decode() for person in ad.people.of("healthy")}
    [name, *_] = [name for name, title in titles.items() if title.isalpha()]
    done = run(ad, f"account,address\n{name},{{attr:title}}.{{alias}}@{{domain}}\n")
    assert rows(done.stdout)[0]["address"] == f"{titles[name]}.{name}@{IM_DOMAIN}"


def test_auto_in_cells_spreads(ad):
    people = names(ad, 8)
    done = run(ad, "account,home\n" + "".join(f"{name},auto\n" for name in people))
    homes = [row["home"] for row in rows(done.stdout)]
    assert homes.count("im1") == homes.count("im2") == 4
