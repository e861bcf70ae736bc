"""The grammar for editors, run by a TextMate tokenizer (PyPI: textmate-grammar-python, Oniguruma behind it).

Every token of every example gets a scope of its kind, and every word of the tables of frontend/language.cpp is
coloured where it stands. `./check` runs it: python3 tests/editor/grammar_test.py
"""
import glob
import json
import logging
import os
import re
import sys
import unittest

from textmate_grammar.parsers.base import LanguageParser

logging.disable(logging.CRITICAL)
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


GRAMMAR = json.loads(read(os.path.join(ROOT, "editor", "rnn.tmLanguage.json")))
PARSER = LanguageParser(GRAMMAR)
TABLES = read(os.path.join(ROOT, "frontend", "language.cpp"))
# What a token is, without regard to where it stands.
TOKEN = re.compile(
    r"""(?P<comment>\#.*) | (?P<string>"(?:[^"\\\n]|\\.)*") | (?P<number>\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<primed>[^\W\d_]\w*') | (?P<name>[^\W\d_]\w*) | (?P<operator>->|<=|>=|==|!=|[-+*/@^=~<>])
      | (?P<punctuation>[:;,.(){}\[\]])""",
    re.VERBOSE,
)
RESERVED = "param let scan fold over for with from carry as on tree frozen".split()


def scopes(text):
    """{(line, column): innermost scope} of every character of `text`."""
    result = {}
    element = PARSER.parse_string(text)
    for (line, column), piece, names in element.flatten() if element else []:
        for i in range(len(piece)):
            result[line, column + i] = names[-1]
    return result


def tokens(text):
    """(line, column, kind, word) of every token of `text`."""
    for line, code in enumerate(text.split("\n")):
        for match in TOKEN.finditer(code):
            yield line, match.start(), match.lastgroup, match.group()


def scope_of(text, word):
    """The scope of the last token `word`."""
    found = scopes(text)
    places = [(line, column) for line, column, _, token in tokens(text) if token == word]
    return found.get(places[-1], "none")


def body(function):
    """The body of a function of language.cpp that holds a table."""
    start = TABLES.index(function)
    return TABLES[start : TABLES.index("\n}\n", start)]


def words(text):
    return re.findall(r'"(\w+)"', text)


def table(function):
    """{key: words} of a table `{"key", {"word", ...}}`."""
    entries = re.findall(r'\{"(\w+)",\s*\{([^{}]*)\}\}', body(function))
    return {key: words(values) for key, values in entries}


class Grammar(unittest.TestCase):
    def expect(self, text, word, kind):
        self.assertIn(kind, scope_of(text, word), f"`{word}` in {text!r}")

    def test_every_token_of_every_example(self):
        files = [os.path.join(ROOT, "frontend", "std.rnn")]
        files += glob.glob(os.path.join(ROOT, "examples", "*.rnn"))
        files += glob.glob(os.path.join(ROOT, "..", "shared", "language", "*.rnn"))
        self.assertGreater(len(files), 1)
        kinds = {"comment": "comment.", "string": "string.", "number": "constant.numeric", "operator": "keyword.operator",
                 "punctuation": "punctuation", "primed": "variable.other.next"}
        for path in files:
            text = read(path)
            found = scopes(text)
            for line, column, kind, word in tokens(text):
                scope = found.get((line, column), "none")
                where = f"{path}:{line + 1}:{column + 1}: `{word}`"
                if kind == "name" and word in RESERVED:
                    self.assertIn("keyword.", scope, where)
                elif kind == "name":
                    self.assertRegex(scope, r"^(variable|support|keyword|entity|constant\.language)\.?", where)
                else:
                    self.assertTrue(scope.startswith(kinds[kind]), f"{where} is {scope}")

    def test_functions(self):
        functions = re.findall(r'\{"(\w+)", \w+, \d+, \d+\}', TABLES)
        self.assertGreater(len(functions), 40)
        for name in functions + ["both", "reverse", "stack"]:
            self.expect(f"model m(x: [A]) -> (y: [A]) {{\n  y = {name}(x)\n}}", name, "support.function")

    def test_functions_and_values_of_data(self):
        names = words(body("data_functions()"))
        self.assertIn("chars", names)
        for name in names:
            self.expect(f"data d {{\n  x: C[T] = {name}(line)\n}}", name, "support.function")
        given = [value for values in table("given_values()").values() for value in values] + ["file", "row"]
        self.assertIn("leaf", given)
        for name in given:
            value = name + "(1)" if name in ("col", "rest") else name
            self.expect(f"data d {{\n  x: C[T] = chars({value})\n}}", name, "support.variable.given")

    def test_formats(self):
        formats = table("given_values()")
        self.assertIn("stream", formats)
        for name in formats:
            self.expect(f'data d {{\n  read "t" as {name}\n}}', name, "support.type.format")

    def test_settings_and_their_choices(self):
        settings = table("settings_of(")
        self.assertEqual(sorted(settings), ["data", "generate", "predict", "train"])
        for block, names in settings.items():
            for name in names:
                self.expect(f"{block} a {{\n  {name} 1\n}}", name, "keyword.other.setting")
        choices = table("choices_of(")
        self.assertIn("optimizer", choices)
        for setting, names in choices.items():
            for name in names:
                self.expect(f"train a on b {{\n  {setting} {name}(1)\n}}", name, "support.constant.choice")

    def test_first_values(self):
        names = words(body("initializers()"))
        self.assertIn("glorot", names)
        for name in names:
            self.expect(f"layer l(x: [A]) -> (y: [A]) {{\n  param W: [A] ~ {name}\n}}", name, "initializer")

    def test_options(self):
        options = set(re.findall(r'\{"(\w+)", (?:Number|YesNo|Text|Any)\}', TABLES))
        self.assertIn("momentum", options)
        for name in options:
            self.expect(f"train a on b {{\n  optimizer sgd({name} = 1)\n}}", name, "variable.parameter")

    def test_words_that_are_names_elsewhere(self):
        self.expect("layer l(x: [A]) -> (loss: [A]) {\n  loss = x\n}", "loss", "variable.other")
        self.expect("cell c(x: [A]; h: [A]) {\n  h' = x\n}", "h'", "variable.other.next")
        self.expect('data d {\n  read "a\\"#b" as lines # c\n}', "# c", "comment")

    def test_manifest_names_what_is_there(self):
        manifest = json.loads(read(os.path.join(ROOT, "editor", "package.json")))
        for entry in manifest["contributes"]["grammars"]:
            self.assertEqual(entry["scopeName"], GRAMMAR["scopeName"])
            self.assertTrue(os.path.exists(os.path.join(ROOT, "editor", entry["path"])))
        for entry in manifest["contributes"]["languages"]:
            json.loads(read(os.path.join(ROOT, "editor", entry["configuration"])))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
