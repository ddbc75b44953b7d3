# make [MODE=release|debug|asan|tsan]   build
# make run                              install what is missing, build, serve
# make test                             install what is missing, all tests
# make check                            what a commit must pass besides
# make bench                            figures for docs/benchmarks.md
# make install PREFIX=/usr DESTDIR=/tmp/stage

NAME    = callboard
MODE   ?= release
BUILD  ?= build
PREFIX ?= /usr/local
MODULES = base proto store correlate ingest query
DEPS    = libmicrohttpd jansson sqlite3 libzstd libdeflate yaml-0.1 libprotobuf-c

CC       ?= cc
CFLAGS   ?= -O2 -g
CPPFLAGS ?=

out = $(BUILD)/$(MODE)

cflags = -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Iinclude \
         -I$(out)/proto -MMD -MP -pthread \
         -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
         -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual \
         -Wwrite-strings -Wformat=2 -Wvla -Wundef
cflags += $(shell pkg-config --cflags $(DEPS) 2>/dev/null)
ldlibs  = $(shell pkg-config --libs $(DEPS) 2>/dev/null) -pthread -lm

cflags.debug = -O0 -Werror
cflags.asan  = -O1 -Werror -fno-omit-frame-pointer \
               -fsanitize=address,undefined -fno-sanitize-recover=all
cflags.tsan  = -O1 -Werror -fsanitize=thread
cflags      += $(cflags.$(MODE))

# Ours after the user's, so that MODE wins over -O2 and nobody loses a flag.
compile = $(CC) $(CPPFLAGS) $(CFLAGS) $(cflags)

lib     = $(patsubst %.c,$(out)/%.o,$(wildcard $(MODULES:%=%/*.c)))
main    = $(patsubst %.c,$(out)/%.o,$(wildcard daemon/*.c))
units   = $(patsubst %.c,$(out)/%,$(wildcard tests/unit/test_*.c))
fuzzes  = $(patsubst %.c,$(out)/%,$(wildcard tests/fuzz/fuzz_*.c))
benches = $(patsubst %.c,$(out)/%,$(wildcard tests/bench/bench_*.c))

all: $(out)/$(NAME)

$(out)/$(NAME): $(main) $(out)/lib.a
	$(compile) $(LDFLAGS) -o $@ $^ $(ldlibs)

$(out)/lib.a: $(lib)
	rm -f $@ && $(AR) rcs $@ $^

$(out)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(compile) -I$(<D) -c -o $@ $<

$(out)/tests/%.o: cflags += -Itests -Istore -Iquery -Icorrelate -Iproto -Iingest

$(units): $(out)/%: $(out)/%.o $(out)/tests/test.o $(out)/lib.a
	$(compile) $(LDFLAGS) -o $@ $^ $(ldlibs)

# Each fuzz target also links as a plain program that replays its corpus.
$(fuzzes): $(out)/%: $(out)/%.o $(out)/tests/replay.o $(out)/lib.a
	$(compile) $(LDFLAGS) -o $@ $^ $(ldlibs)

$(benches): $(out)/%: $(out)/%.o $(out)/lib.a
	$(compile) $(LDFLAGS) -o $@ $^ $(ldlibs)

unit: $(units) $(fuzzes)
	@for t in $(units); do echo "== $$t"; ./$$t || exit 1; done
	@for t in $(fuzzes); do ./$$t tests/fuzz/$${t##*/}.corpus || exit 1; done

clean:
	rm -rf $(BUILD)

-include $(shell find $(out) -name '*.d' 2>/dev/null)

.PHONY: all unit clean
.SECONDARY:
