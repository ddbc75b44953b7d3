"""Random PromQL expressions that Prometheus 2 and 3 give the same value.

Left out, as the two differ there or the result is not determined:
 - Windows of Prometheus 2 are closed at their start. Samples, steps and steps
   of subqueries never lie there: samples are 7.1 s and 2.1 s behind multiples
   of 10 s, steps 3 s, and subqueries within subqueries are not made.
 - Prometheus 3 extrapolates a counter that begins within the window to zero
   after it has decided how far to extrapolate, Prometheus 2 before: counters
   that begin again have no gaps, and rate() is not asked of gauges.
 - predict_linear() of a range with @ is at a fixed time at the first step only.
 - stddev of NaN or Inf alone is 0 in Prometheus 2, and the month of NaN is
   whatever the processor makes of it.
 - Prometheus 2 keeps the name in atan2: its operands have none.
 - floor, ceil, round, comparisons and topk of what rounding may have changed:
   they get expressions only whose value is exact.
"""

LABELS = ("a", "b")
GAUGES = ("g", "d")
COUNTERS = ("c_total", "r_total")

# Functions of a range whose value is exact where the samples are multiples of
# 1/4, and others.
EXACT_RANGE = ("min_over_time", "max_over_time", "sum_over_time", "last_over_time",
               "count_over_time", "changes", "resets", "idelta", "present_over_time")
COUNTER_RANGE = ("rate", "increase")
RANGE = EXACT_RANGE + COUNTER_RANGE + ("delta", "irate", "deriv", "avg_over_time",
                                       "stddev_over_time", "stdvar_over_time")
STEPPED = ("floor", "ceil", "sgn", "abs")
SMOOTH = ("abs", "exp", "sqrt", "ln", "log2", "log10", "atan", "deg", "rad", "tanh")
DATES = ("minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month",
         "month", "year", "timestamp")
AGGREGATES = ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar")
DURATIONS = ("30s", "1m", "90s", "5m", "10m", "20m", "1h")


class Expressions:
    def __init__(self, rng):
        self.rng = rng
        self.within_subquery = False

    def one_of(self, *choices):
        return self.rng.choice(choices)

    # ---- selectors ----

    def matchers(self):
        chosen = []
        if self.rng.random() < 0.4:
            name = self.one_of(*LABELS)
            chosen.append(name + self.one_of('="1"', '!="1"', '=~"1|2"', '!~"2|3"',
                                             '=~".*"', '=""', '!=""', '=~"[^1].*"'))
        return "{" + ",".join(chosen) + "}" if chosen else ""

    def shift(self):
        draw = self.rng.random()
        if draw < 0.1:
            return " offset " + self.one_of("1m", "5m", "-2m", "70s")
        if draw < 0.15:
            return " @ " + self.one_of("start()", "end()", str(self.rng.randrange(
                1736928000 + 1200, 1736928000 + 6000, 10) + 3))
        return ""

    def metric(self):
        return self.one_of(*GAUGES, *COUNTERS, "odd", "only")

    def selector(self):
        if self.rng.random() < 0.05:
            names = self.one_of("g|d", "c_.*|odd", "only|info", "._total", "d|nothing")
            return f'{{__name__=~"{names}"}}' + self.shift()
        return self.metric() + self.matchers() + self.shift()

    def window(self, depth):
        if depth > 0 and not self.within_subquery and self.rng.random() < 0.2:
            self.within_subquery = True
            inner = self.vector(depth - 1)
            self.within_subquery = False
            return (f"({inner})[{self.one_of('5m', '10m', '30m')}:"
                    f"{self.one_of('30s', '1m', '2m', '10s', '')}]{self.shift()}")
        return self.metric() + self.matchers() + f"[{self.one_of(*DURATIONS)}]" + self.shift()

    # ---- values that are exact ----

    def exact(self, depth):
        if depth <= 0 or self.rng.random() < 0.4:
            return self.selector()
        kind = self.rng.randrange(5)
        if kind == 0:
            return f"{self.one_of(*EXACT_RANGE)}({self.window(0)})"
        if kind == 1:
            return f"{self.one_of('max', 'min', 'sum', 'count', 'group')}{self.by()}" \
                   f"({self.exact(depth - 1)})"
        if kind == 2:
            return f"{self.one_of(*STEPPED)}({self.exact(depth - 1)})"
        if kind == 3:
            return f"({self.exact(depth - 1)} {self.one_of('+', '-', '*', '%')} {self.number()})"
        return f"-{self.selector()}"

    def number(self):
        return self.one_of("0", "1", "2", "0.5", "-3", "100", "1000", "7")

    def scalar(self, depth):
        draw = self.rng.random()
        if draw < 0.5 or depth <= 0:
            return self.number()
        if draw < 0.7:
            return f"scalar({self.vector(depth - 1)})"
        if draw < 0.8:
            return "time()"
        return f"({self.scalar(depth - 1)} {self.one_of('+', '-', '*', '/')} {self.number()})"

    # ---- vectors ----

    def by(self):
        draw = self.rng.random()
        if draw < 0.3:
            return ""
        names = self.one_of("a", "b", "a, b", "", "__name__", "a, nothing")
        return f" {self.one_of('by', 'without')} ({names}) "

    def matching(self, many):
        names = self.one_of("a", "b", "a, b", "")
        clause = f" {self.one_of('on', 'ignoring')} ({names}) "
        if many:
            include = self.one_of("", "", "team", "b")
            clause += self.one_of("group_left", "group_right") + f" ({include}) "
        return clause

    def range_call(self, depth):
        draw = self.rng.random()
        if draw < 0.1:
            return f"quantile_over_time({self.one_of('0', '0.25', '0.5', '0.99', '1')}, " \
                   f"{self.window(depth)})"
        if draw < 0.17:
            window = self.window(depth)
            while "@" in window:
                window = self.window(depth)
            return f"predict_linear({window}, {self.one_of('60', '3600', '-100')})"
        if draw < 0.22:
            return f"holt_winters({self.window(depth)}, 0.3, 0.6)"
        if draw < 0.27:
            return f"absent_over_time({self.window(depth)})"
        function = self.one_of(*RANGE)
        if function in COUNTER_RANGE:
            steps = "" if self.within_subquery else self.one_of("", "", ":30s", ":1m")
            window = self.one_of(*DURATIONS) + steps
            return f"{function}({self.one_of(*COUNTERS)}{self.matchers()}[{window}]{self.shift()})"
        return f"{function}({self.window(depth)})"

    def call(self, depth):
        inner = self.vector(depth - 1)
        return self.one_of(
            lambda: f"{self.one_of('clamp_min', 'clamp_max')}({inner}, {self.scalar(0)})",
            lambda: f"clamp({inner}, {self.number()}, {self.number()})",
            lambda: f"round({self.exact(depth - 1)}, {self.one_of('1', '0.5', '10', '100')})",
            lambda: f"{self.one_of(*DATES)}({self.one_of('g', 'c_total', 'd')}{self.shift()})",
            lambda: f'label_replace({inner}, "{self.one_of("x", "a", "b")}", "$1-", '
                    f'"{self.one_of("a", "b", "__name__")}", '
                    f'"{self.one_of("(.*)", "([12])", "(q)")}")',
            lambda: f'label_join({inner}, "{self.one_of("x", "a")}", "-", "a", "b")',
            lambda: f"absent({inner})",
            lambda: f"vector({self.scalar(depth - 1)})",
            lambda: f"histogram_quantile({self.one_of('0.5', '0.9', '0', '1')}, "
                    f"sum by (le, a) (rate(h_bucket{self.matchers()}[5m])))",
            lambda: f"{self.one_of(*SMOOTH)}({inner})",
        )()

    def aggregate(self, depth):
        draw = self.rng.random()
        if draw < 0.1:
            return f"{self.one_of('topk', 'bottomk')}{self.by()}({self.one_of('1', '2', '3')}, " \
                   f"{self.one_of('g', 'c_total', 'g * 2')})"
        if draw < 0.2:
            return f"quantile{self.by()}({self.one_of('0.1', '0.5', '0.9')}, " \
                   f"{self.vector(depth - 1)})"
        if draw < 0.27:
            return f'count_values{self.by()}("v", {self.exact(depth - 1)})'
        function = self.one_of(*AGGREGATES)
        if function.startswith("std"):
            inner = self.one_of("g", "d", "rate(c_total[5m])", "r_total * 2")
            return f"{function}{self.by()}({inner})"
        return f"{function}{self.by()}({self.vector(depth - 1)})"

    def operation(self, depth):
        arithmetic = self.one_of("+", "-", "*", "/", "^")
        compare = self.one_of("==", "!=", ">", "<", ">=", "<=") + self.one_of("", " bool")
        left, right = self.vector(depth - 1), self.vector(depth - 1)
        return self.one_of(
            lambda: f"({left} {arithmetic} {self.scalar(depth - 1)})",
            lambda: f"({self.scalar(depth - 1)} {arithmetic} {right})",
            lambda: f"({self.exact(depth - 1)} {compare} {self.number()})",
            lambda: f"({self.number()} {compare} {self.exact(depth - 1)})",
            lambda: f"({self.exact(depth - 1)} {compare}{self.matching(False)}"
                    f"{self.exact(depth - 1)})",
            lambda: f"({left} {arithmetic}{self.matching(False)}{right})",
            lambda: f"({self.one_of('g', 'd', 'c_total', 'r_total', 'rate(c_total[5m])')} "
                    f"{arithmetic}{self.matching(True)}"
                    f"{self.one_of('only', 'info', 'max by (a) (g)', 'sum by (b) (d)')})",
            lambda: f"({left} {self.one_of('and', 'or', 'unless')}"
                    f"{self.one_of('', self.matching(False))} {right})",
            lambda: f"({left} {self.one_of('+', '*', '/')} {right})",
            lambda: f"(-({left}) atan2 -({right}))",
        )()

    def vector(self, depth):
        if depth <= 0:
            return self.selector()
        return self.rng.choice((self.range_call, self.range_call, self.call, self.aggregate,
                                self.operation, self.exact))(depth)
