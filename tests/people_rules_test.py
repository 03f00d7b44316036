"""The rules of looking people up, written a second time without an index, against the program.

Made-up people, and queries made of what they are called, whole, misspelt, cut, joined and
mixed; each query's outcome is found by comparing it with everybody. What the index finds
must be the same.
"""

import json
import os
import random
import re
import subprocess
import tempfile
import unicodedata

import tap

PROGRAM = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "people-lookups")
SEED = int(os.environ.get("SEED", "20261123"))
STROKES = str.maketrans({"ø": "o", "æ": "ae", "ł": "l", "đ": "d", "œ": "oe", "ı": "i"})
GIVEN = ["Mark", "Marc", "Maria", "Märta", "Søren", "Jörg", "Joerg", "Jorg", "Ana", "Anna", "Jean-Luc", "Jean",
         "Zoë", "Liz", "Elizabeth", "Ivan", "Ivana", "Иван", "Ivan", "Li", "欣"]
SURNAMES = ["Stone", "Stome", "Müller", "Mueller", "Muller", "O'Neil", "Oneil", "Al-Hadi", "Alhadi", "Novák", "Novak",
            "Kjær", "Becket", "Beckett", "Weiß", "Petrov", "Петров", "Zhao", "D’Arcy", "Smith-Jones", "Ng"]
NICKNAMES = ["Lizzie", "Beth", "Mo", "Johnny", "Jo Ann"]


def fold(text):
    text = unicodedata.normalize("NFD", text.casefold())
    text = "".join(c for c in text if unicodedata.category(c) != "Mn")
    return re.sub("[-'’]", "", text.translate(STROKES))


def ways(word):
    """Every way in which a word may be written."""
    word = unicodedata.normalize("NFC", word)
    found = {""}
    for c in word:
        with_e = {"ä": "ae", "ö": "oe", "ü": "ue"}.get(c.lower())
        found = {f + x for f in found for x in ([c, with_e] if with_e else [c])}
    return {fold(f) for f in found} - {""}


def near(a, b):
    """One edit, or none; as the definition says."""
    if a == b:
        return True
    if abs(len(a) - len(b)) > 1:
        return False
    if len(a) == len(b):
        off = [i for i, (x, y) in enumerate(zip(a, b)) if x != y]
        return len(off) == 1 or (len(off) == 2 and off[1] == off[0] + 1 and
                                 a[off[0]] == b[off[1]] and a[off[1]] == b[off[0]])
    short, long = sorted((a, b), key=len)
    return any(long[:i] + long[i + 1:] == short for i in range(len(long)))


class Person:
    def __init__(self, p):
        self.id, self.left = p["id"], p["status"] == "left"
        slack, okta, github, ldap = (p.get(s) or {} for s in ("slack", "okta", "github", "ldap"))
        self.logins = {x.casefold() for x in (slack.get("id"), slack.get("handle"), okta.get("id"),
                                              github.get("login"), ldap.get("uid")) if x}
        self.mails = {x.casefold() for x in (slack.get("email"), okta.get("email"), okta.get("login"),
                                             ldap.get("mail")) if x}
        self.github = {github["login"].casefold()} if github else set()
        self.dns = {ldap["dn"].casefold()} if ldap else set()
        names = [p["name"], *p["nicknames"], *p["former_names"]] + [
            x for x in (slack.get("display_name"), slack.get("real_name"), github.get("name"), ldap.get("cn")) if x]
        raw = {w for n in names for w in n.split()}
        self.words = {x for w in raw for x in ways(w)}
        # A word with hyphens may come as its parts, side by side.
        self.runs = [tuple(ways(part) for part in w.split("-")) for w in raw if "-" in w]
        whole = [p["name"], *p["former_names"]] + [
            x for x in (slack.get("real_name"), github.get("name"), ldap.get("cn")) if x]
        self.initials = {x[0] for n in whole for x in ways(n.split()[0])}

    def has_words(self, words):
        """Whether all words are among the names, from the first on."""
        if not words:
            return True
        word, rest = words[0], words[1:]
        if self.has_word(word, True) and self.has_words(rest):
            return True
        return any(len(run) <= len(words) and all(ways(w) & part for w, part in zip(words, run)) and
                   self.has_words(words[len(run):]) for run in self.runs)

    def has_word(self, word, may_be_initial):
        if ways(word) & self.words:
            return True
        if may_be_initial and any(len(x) == 1 and x in self.initials for x in ways(word)):
            return True
        parts = [p for p in word.split("-") if p]
        return len(parts) > 1 and all(ways(p) & self.words for p in parts)


def owners(people, has):
    found = [p for p in people if has(p)]
    present = [p for p in found if not p.left]
    return present or found


def expected(people, query):
    text = query.strip()
    identifier = False
    only = None
    m = re.fullmatch(r"<@(\w+)(\|.*)?>", text)
    if m:
        text, identifier = m[1], True
    elif text.lower().startswith("mailto:"):
        text, identifier = text[7:], True
    elif text.lower().startswith("github:") or text.lower().startswith("https://github.com/"):
        text, identifier, only = re.sub(r"(?i)^(github:|https://github.com/)", "", text), True, "github"
    elif text.startswith("@"):
        text, identifier = text[1:], True
    scripts = {s for c in text for s in ("LATIN", "CYRILLIC", "GREEK") if unicodedata.name(c, "").startswith(s)}
    if len(scripts) > 1:
        return "none", [], None, "mixed-script"
    low = text.casefold()
    if only:
        found = owners(people, lambda p: low in p.github)
    else:
        found = owners(people, lambda p: low in p.logins | p.mails | p.dns)
    identifier = identifier or "@" in text or "=" in text or re.fullmatch(r"(?=.*\d)[UW][A-Z0-9]{6,}", text) is not None or \
        low.startswith("00u")
    via = "identifier"
    if not identifier:
        words = text.split()
        long = any(len(fold(w)) > 1 for w in words)
        named = [p for p in people if (p.has_words(words) if long else
                                       all(p.has_word(w, False) for w in words))]
        if any(p not in found for p in named):
            via = "name"
        found = found + [p for p in named if p not in found]
        if not found:
            least = 5 if len(words) == 1 else 3
            if all(len(fold(w)) >= least for w in words):
                found = [p for p in people if all(any(near(x, y) for x in ways(w) for y in p.words)
                                                  for w in words)]
                if len(words) == 1:
                    for login in {i for p in people for i in p.logins if len(i) >= 5 and near(low, i)}:
                        found += [p for p in owners(people, lambda p, i=login: i in p.logins) if p not in found]
            return ("ambiguous", found, "fuzzy", None) if found else ("none", [], None, None)
    if not found:
        return "none", [], None, None
    return "unique" if len(found) == 1 else "ambiguous", found, via, None


# ---- Made-up people and what is typed ----

def make_person(dice, n):
    name = f"{dice.choice(GIVEN)} {dice.choice(SURNAMES)}"
    login = fold(name).replace(" ", ".") if dice.random() < 0.7 else f"user{n}"
    p = {"id": f"P{n}", "name": name, "type": "employee",
         "status": dice.choice(["active"] * 6 + ["left", "suspended"]),
         "nicknames": dice.sample(NICKNAMES, dice.choice([0, 0, 0, 1])),
         "former_names": [f"{name.split()[0]} {dice.choice(SURNAMES)}"] if dice.random() < 0.2 else []}
    mail = f"{login}{n}@firm.example"
    if dice.random() < 0.8:
        p["slack"] = {"id": f"U0{n:03d}QX{n % 7}", "handle": login, "display_name": name.split()[0],
                      "real_name": name, "email": mail, "deleted": p["status"] == "left"}
    if dice.random() < 0.8:
        p["okta"] = {"id": f"00u{n:03d}abc", "login": mail, "email": mail, "status": "ACTIVE"}
    if dice.random() < 0.6:
        p["github"] = {"login": f"{login.replace('.', '-')}-gh".encode("ascii", "ignore").decode(),
                       "name": name, "email": None}
    if dice.random() < 0.7:
        uid = f"u.{login}"
        p["ldap"] = {"uid": uid, "dn": f"uid={uid},ou=people,dc=firm,dc=example", "cn": name, "mail": mail,
                     "disabled": False}
    return p


def misspell(dice, word):
    if not word:
        return word
    i = dice.randrange(len(word))
    kind = dice.randrange(5)
    if kind == 0:
        return word[:i] + word[i + 1:]
    if kind == 1:
        return word[:i] + dice.choice("aemnrstz") + word[i:]
    if kind == 2:
        return word[:i] + dice.choice("aemnrstz") + word[i + 1:]
    if kind == 3:
        return word[:i] + word[i:i + 2][::-1] + word[i + 2:]
    return misspell(dice, misspell(dice, word)) or word


def make_query(dice, p):
    systems = [p[s] for s in ("slack", "okta", "github", "ldap") if s in p]
    logins = [x for s in systems for k, x in s.items() if k in ("id", "handle", "login", "uid", "email", "dn") and x]
    names = [p["name"], *p["nicknames"], *p["former_names"]]
    text = dice.choice(names if not logins or dice.random() < 0.6 else logins)
    kind = dice.randrange(10)
    words = text.split()
    if kind == 0:
        dice.shuffle(words)
    if kind == 1 and len(words) > 1:
        words[0] = words[0][0] + dice.choice(["", "."])
    if kind == 2:
        words = [dice.choice(words)]
    if kind in (3, 4):
        i = dice.randrange(len(words))
        words[i] = misspell(dice, words[i])
    text = " ".join(w for w in words if w) or "x"
    if kind == 5:
        text = fold(text) if not re.search("[@=.-]", text) else text.upper()
    if kind == 6:
        text = text.replace("-", dice.choice([" ", ""])).replace("'", "")
    if kind == 7:
        text = dice.choice(["@", "github:", "mailto:", "https://github.com/"]) + text
    if kind == 8:
        text = text.replace("o", dice.choice(["ö", "о", "oe"]), 1)
    return text


def comparable(query):
    """What both read the same way: dots beside words are left out."""
    words = query.split()
    return words and all(w.strip(".") for w in words) and \
        not any(w.startswith(".") or (w.endswith(".") and len(w) > 2) for w in words)


def test_the_rules_twice():
    dice = random.Random(SEED)
    for _ in range(4):
        listed = [make_person(dice, n) for n in range(120)]
        people = [Person(p) for p in listed]
        lookups = []
        while len(lookups) < 600:
            query = make_query(dice, dice.choice(listed))
            if not comparable(query):
                continue
            bare = " ".join(w.rstrip(".") if len(w) == 2 else w for w in query.split())
            match, found, via, flag = expected(people, bare)
            lookups.append({"query": query, "expect": match, "people": [p.id for p in found],
                            **({"via": via} if via else {}), **({"flag": flag} if flag else {})})
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as f:
            json.dump({"people": listed, "lookups": lookups}, f)
            f.flush()
            done = subprocess.run([PROGRAM, f.name], capture_output=True, text=True, timeout=60, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines()[:-1]]
        wrong = [{**l, "why": r["why"]} for l, r in zip(lookups, lines) if not r["passed"]]
        tap.equal(f"{len(lines)} lookups as the rules say (SEED={SEED})", wrong[:5], [])
        kinds = {l["expect"] for l in lookups} | {l.get("via") for l in lookups}
        tap.ok("of every kind", kinds >= {"unique", "ambiguous", "none", "identifier", "name", "fuzzy"}, kinds)


if __name__ == "__main__":
    tap.run([test_the_rules_twice])
    tap.done()
