"""Hostile and misleading formulas, none of which may be loaded."""

from __future__ import annotations

FORMULAS = (
    # huge numbers and texts
    "4000000**4000000", "9**9**9**9", "(9**4000000)*(9**4000000)", "1e308**1e308", "1e308*10", "0**-1", "1/0", "-1%0",
    "1<<4000000", "1e999", "1e" + "9" * 390, "9" * 399, "0x" + "f" * 390, "0o" + "7" * 390, "1j", "9e999j",
    "f'{1:>1000000000}'", "f'{1:{1}{0}>9}'", "f'{open}'", "'%1000000000d' % 1", "'{:>999999999}'.format(1)",
    "'a'.ljust(1000000000)", "'a'*1000000000", "b'a'*1000000000", "[0]*1000000000", "(0,)*1000000000",
    # escapes from the language
    "().__class__.__bases__[0].__subclasses__()", "a.__class__", "__builtins__", "a.__init__.__globals__",
    "min.__self__", "__import__('os').system('true')", "open('/etc/passwd')", "open('canary', 'w')", "print(1)",
    "rand()", "randint(9)", "eval('1')", "exec('1')", "compile('1', '', 'eval')", "getattr(a, 'b')", "a.b.c()",
    "min(1, 2)(3)", "1(2)", "(lambda: 1)()", "lambda: 1", "breakpoint()", "exit()", "input()",
    # the rest of Python
    "[x for x in a]", "{x for x in a}", "{x: x for x in a}", "max(x for x in a)", "[x async for x in a]", "(a := 3)",
    "min(*a)", "min(**a)", "min(a, b, key=c)", "*a, b", "a[0]", "a[1:2]", "{1, 2}", "{1: 2}", "[1, 2]", "1, 2", "()",
    "[]", "await a", "(yield a)", "(yield from a)", "...", "None", "'a'", "'''a'''", "'a' 'b'", "True + 1", "1 is 1",
    "a @ b", "~a", "a & b", "a | b", "import os", "del a", "assert a", "a = 1", "a += 1", "a; b", "a\nb", "match a",
    "type X = int", "print 1", "@a", "a -> b", "1 .real", "0777", "1if a else 2", "1or 2", "'\\d'", "a + \\\nb",
    # long and deep
    "1+" * 5_000_000 + "1", "x" * 401, "x" * 400, "<".join(["1"] * 190), "<".join(["a"] * 150), "+".join(["1"] * 199),
    "-" * 390 + "1", "not " * 99 + "a", "1 if " * 60 + "1", "1 if a else " * 30 + "1", "**".join(["9"] * 130),
    "a" + ".a" * 199, "(" * 400, ")" * 400, "[" * 200 + "]" * 200, "([{" * 130, "min(" * 90 + "1" + ")" * 90,
    # invisible and misleading characters
    "1\x00+1", "1\x00", "a \u202e+ b", "a \u2066+ b", "a\u200b", "a\u00a0+ b", "\ufeff1", "\uff11 + 1",
    "m\uff41x(1, 2)", "m\u0430x(1, 2)", "a \u2212 b", "a \u00d7 b", "a \u2013 b", "a\u00b2", "\u0661", "\u03bb",
    "\U0001d48e\U0001d482\U0001d499(1, 2)", "1\u20442", "a\u3000+ b", "a\u2028+ b", "a\x85+ b", "a\x0c+ b", "a\x0b+b",
    "\x1b[2Ja", "a\x7f",
    # truncated
    "1) + (1", "1)\n+(1", "'''", "'abc", "f'{", "`a`", "$a", "!a", "a ? b : c", "", " ", "\t", "\n" * 300,
)  # fmt: skip
