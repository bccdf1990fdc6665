#!/usr/bin/env python3
"""Writes decimal_vectors.txt: decimal arithmetic by Spark's rules, computed with Python's decimal module.

Each line: operator, a, type of a, b, type of b, result type, result or `null`.
"""
import decimal
import random
from decimal import Decimal, ROUND_HALF_UP

random.seed(7)
decimal.getcontext().prec = 200
decimal.getcontext().Emax = 10**6
decimal.getcontext().Emin = -10**6


def adjusted(precision, scale):
    if precision <= 38:
        return precision, scale
    return 38, max(38 - (precision - scale), min(scale, 6))


def result_type(op, p1, s1, p2, s2):
    if op in "+-":
        scale = max(s1, s2)
        return adjusted(max(p1 - s1, p2 - s2) + scale + 1, scale)
    if op == "*":
        return adjusted(p1 + p2 + 1, s1 + s2)
    if op == "/":
        scale = max(6, s1 + p2 + 1)
        return adjusted(p1 - s1 + s2 + scale, scale)
    scale = max(s1, s2)
    return adjusted(min(p1 - s1, p2 - s2) + scale, scale)


def compute(op, a, b):
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    if op == "*":
        return decimal.Context(prec=39, rounding=ROUND_HALF_UP, Emax=10**6, Emin=-10**6).multiply(a, b)
    if b == 0:
        return None
    if op == "/":
        return (a / b).quantize(Decimal(1).scaleb(-39), rounding=ROUND_HALF_UP)
    return a % b


def number(precision, scale):
    digits = random.choice([precision, precision, random.randint(1, precision)])
    value = random.choice([random.randrange(10**digits), 10**digits - 1, 10 ** (digits - 1), 5 * 10 ** (digits - 1), 0])
    return Decimal(random.choice([1, -1]) * value).scaleb(-scale)


def text(value, scale):
    return format(value.quantize(Decimal(1).scaleb(-scale)) + 0, "f")


with open(__file__.replace("make_decimal_vectors.py", "decimal_vectors.txt"), "w") as out:
    for i in range(400):
        op = "+-*/%"[i % 5]
        (p1, s1), (p2, s2) = [
            random.choice([(10, 2), (38, 10), (38, 18), (38, 0), (38, 38), (20, 0), (5, 1), (18, 6), (3, 3)]) for _ in "ab"
        ]
        a, b = number(p1, s1), number(p2, s2)
        p, s = result_type(op, p1, s1, p2, s2)
        exact = compute(op, a, b)
        if exact is not None:
            exact = exact.quantize(Decimal(1).scaleb(-s), rounding=ROUND_HALF_UP)
            if abs(exact) >= Decimal(10) ** (p - s):
                exact = None
        result = "null" if exact is None else text(exact, s)
        print(op, text(a, s1), f"{p1},{s1}", text(b, s2), f"{p2},{s2}", f"{p},{s}", result, file=out)
