# make [MODE=release|debug|asan|tsan]   build
# make run                              install what is missing, build, serve
# make demo [ARGS="--query HOST:PORT"]  the same with a shop that sends data
# make web                              build the page; run, demo and test do, too (WEB=no: without)
# make web-check                        types, lint, format and unit tests of it
# make setup                            install what is missing
# make test                             install what is missing, all tests
# make unit | e2e | test-kafka | test-clickhouse        the parts of it, in MODE
# make build-unit                       the programs tests/unit/FOLDER/test_NAME
# make test-nightly                     many more rounds of faults, for hours
# make check                            what a commit must pass besides make test
# make layers | structure | headers | format-check      parts of make check
# make tidy | format                    clang-tidy; clang-format in place
# make docs                             man page and sample from the options
# make bench [SECTIONS="spans logs"]    figures for docs/benchmarks.md
# make bench-cause                      labelled faults found, if there are any
# make golden | golden-cause            write tests/golden anew, for review
# make fuzz TARGET=wire SECONDS=60      libFuzzer over a target of tests/fuzz
# make install PREFIX=/usr DESTDIR=/tmp/stage
# make clean                            remove the build folder
# make help                             print these lines

NAME    = callboard
MODE   ?= release
BUILD  ?= build
PREFIX ?= /usr/local
MODULES = base access proto journal block series store clickhouse registry metrics promql correlate partition cause http grpc ingest \
          query analysis costs prometheus tempo grafana mcp cli
# A new library goes into tests/setup.sh as well.
DEPS    = libmicrohttpd libnghttp2 gnutls jansson sqlite3 libzstd libdeflate yaml-0.1 libprotobuf-c rdkafka libpcre2-8

modes = release debug asan tsan fuzz
ifeq ($(filter $(modes),$(MODE)),)
$(error MODE must be one of: $(modes))
endif

CC       ?= cc
CFLAGS   ?= -O3 -g
CPPFLAGS ?=

out = $(BUILD)/$(MODE)

dep_cflags := $(shell pkg-config --cflags $(DEPS) 2>/dev/null)
dep_libs   := $(shell pkg-config --libs $(DEPS) 2>/dev/null)

warnings = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
           -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual \
           -Wwrite-strings -Wformat=2 -Wvla -Wundef
cflags   = -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Iinclude \
           -I$(out)/proto -MMD -MP -pthread $(warnings) $(dep_cflags)
ldlibs   = $(dep_libs) -pthread -lm

cflags.debug = -O0 -Werror
cflags.asan  = -O1 -Werror -fno-omit-frame-pointer \
               -fsanitize=address,undefined -fno-sanitize-recover=all
cflags.tsan  = -O1 -Werror -fsanitize=thread
cflags.fuzz  = -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all \
               -fsanitize=fuzzer-no-link,address,undefined
cflags      += $(cflags.$(MODE))

# Ours after the user's, so that MODE wins over -O3 and nobody loses a flag.
compile = $(CC) $(CPPFLAGS) $(CFLAGS) $(cflags)

proto   = $(patsubst proto/%.proto,$(out)/proto/%.pb-c,$(wildcard proto/*.proto))
# Of the daemon all but main() and the wiring can be tested like a library.
outer   = daemon/main.c daemon/serve.c
inner   = $(wildcard $(MODULES:%=%/*.c)) $(filter-out $(outer),$(wildcard daemon/*.c))
lib     = $(inner:%.c=$(out)/%.o) $(proto:=.o)
main    = $(outer:%.c=$(out)/%.o)
shop    = $(patsubst %.c,$(out)/%.o,$(wildcard tests/shop/*.c))
units   = $(patsubst %.c,$(out)/%,$(wildcard tests/unit/*/test_*.c))
db_units = $(patsubst %.c,$(out)/%,$(wildcard tests/clickhouse/unit/test_*.c))
fuzzes  = $(patsubst %.c,$(out)/%,$(wildcard tests/fuzz/fuzz_*.c))
# Programs for the scripts of tests/clickhouse.
chtools = $(patsubst %.c,$(out)/%,$(wildcard tests/clickhouse/*.c))
benches = $(patsubst %.c,$(out)/%,$(wildcard tests/bench/bench_*.c))
shopgen = $(if $(shop),$(out)/shopgen)
binary  = $(if $(main),$(out)/$(NAME))
# What programs with threads need in MODE besides their own.
threads = $(if $(filter tsan,$(MODE)),$(out)/tests/c11_threads.o)
ours    = $(wildcard $(MODULES:%=%/*.[ch]) daemon/*.[ch] include/*.h \
                     tests/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch])

all: $(binary)

$(out)/$(NAME): $(main) $(threads) $(out)/lib.a
	$(compile) $(LDFLAGS) -o $@ $^ $(ldlibs)

$(out)/lib.a: $(lib)
	rm -f $@ && $(AR) rcs $@ $^

$(out)/%.o: %.c Makefile | $(proto:=.h)
	@mkdir -p $(@D)
	$(compile) -I$(<D) -c -o $@ $<

# Files that the program contains, compressed: the page, if it was built.
$(BUILD)/web/web_files.h: FORCE
	@WEB=$(WEB) sh web/embed.sh web/dist $(@D)
$(out)/query/query_web.o $(out)/query/query_openapi.o: $(BUILD)/web/web_files.h
$(out)/query/query_web.o $(out)/query/query_openapi.o: \
    cflags += -I$(BUILD)/web -Wa,-I$(BUILD)/web

$(out)/tests/%.o: cflags += -Itests -Itests/kits -Itests/shop -Idaemon $(MODULES:%=-I%)

# What protoc-c writes is not ours to warn about.
$(proto:=.o): warnings = -w
$(proto:=.o): %.o: %.c
	$(compile) -c -o $@ $<
$(proto:=.h): %.h: %.c ;
$(out)/proto/%.pb-c.c: proto/%.proto
	@mkdir -p $(@D)
	protoc-c --proto_path=$(<D) --c_out=$(@D) $<

$(units) $(db_units): $(out)/%: $(out)/%.o $(out)/tests/test.o $(threads) $(out)/lib.a
	$(compile) $(LDFLAGS) -o $@ $^ $(ldlibs)

# Its memory is refused now and then.
$(out)/tests/unit/daemon/test_every_alloc: LDFLAGS += \
    -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=abort

$(chtools): $(out)/%: $(out)/%.o $(out)/lib.a
	$(compile) $(LDFLAGS) -o $@ $^ $(ldlibs)

# A fuzz target is a plain program that replays its corpus, except where
# libFuzzer drives it.
ifeq ($(MODE),fuzz)
$(fuzzes): $(out)/%: $(out)/%.o $(out)/lib.a
	$(compile) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(ldlibs)
else
$(fuzzes): $(out)/%: $(out)/%.o $(out)/tests/replay.o $(out)/lib.a
	$(compile) $(LDFLAGS) -o $@ $^ $(ldlibs)
endif

# Benchmarks take their records from the shop.
$(benches): $(out)/%: $(out)/%.o $(out)/tests/bench/shop_batches.o \
                      $(filter-out %/main.o %/send.o,$(shop)) $(out)/lib.a
	$(compile) $(LDFLAGS) -o $@ $^ $(ldlibs)

$(out)/shopgen: $(shop) $(out)/lib.a
	$(compile) $(LDFLAGS) -o $@ $^ $(ldlibs)

# Everything the test programs of MODE need; tests/run-all.sh asks for these.
build-unit: $(units)
build-fuzz: $(fuzzes)
build-e2e: $(binary) $(shopgen)
build-clickhouse: build-e2e $(db_units) $(chtools)

# A broker and a Collector; nothing to do where that was done before.
fetch-kafka:
	@OUT=$(abspath $(out)) sh tests/kafka/broker.sh fetch
	@OUT=$(abspath $(out)) sh tests/kafka/collector.sh build
fetch-clickhouse:
	@OUT=$(abspath $(out)) sh tests/kafka/broker.sh fetch
	@OUT=$(abspath $(out)) sh tests/clickhouse/server.sh fetch

# The second make sees the libraries that the first one installed, and uses all
# processors unless it was told how many.
cpus  := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
again  = $(MAKE) --no-print-directory \
         $(if $(findstring -j,$(MAKEFLAGS)),,-j$(cpus))
runner = MODE=$(MODE) BUILD=$(BUILD) MAKE="$(MAKE)" sh tests/run-all.sh

run:
	@sh tests/setup.sh build
	@sh web/build.sh try
	+@$(again) MODE=release all
	exec $(BUILD)/release/$(NAME) serve --data-dir ./$(NAME)-data $(ARGS)

demo:
	@sh tests/setup.sh build
	@sh web/build.sh try
	+@$(again) MODE=release build-e2e
	@OUT=$(BUILD)/release sh tests/demo.sh $(ARGS)

test:
	@sh tests/setup.sh
	@sh web/build.sh try
	@$(runner) web unit fuzz e2e kafka clickhouse

web:
	@sh web/build.sh
web-check:
	@sh web/build.sh check

unit:
	@$(runner) unit fuzz

e2e:
	@$(runner) e2e

test-kafka:
	@sh tests/setup.sh
	@$(runner) kafka

test-clickhouse:
	@sh tests/setup.sh
	@$(runner) clickhouse

test-nightly:
	@sh tests/setup.sh
	@NIGHTLY=1 $(runner) unit e2e kafka clickhouse

setup:
	@sh tests/setup.sh

bench:
	@sh tests/setup.sh build
	+@$(again) MODE=release build-bench
	@OUT=$(BUILD)/release python3 tests/bench/bench.py $(SECTIONS)
	@for b in $(benches:$(out)/%=$(BUILD)/release/%); do $$b || exit 1; done
# How often the culprit of labelled faults is found (docs/root-cause.md), where
# these lie beside the repository.
bench-cause:
	@sh tests/setup.sh build
	+@$(again) MODE=release build-e2e
	@OUT=$(abspath $(BUILD))/release python3 tests/bench/bench_cause.py
build-bench: $(benches) $(binary) $(shopgen)

# What it finds interesting is kept in the build folder; a crash is left in the
# current one, and belongs into the corpus once it is understood.
SECONDS = 60
fuzzed  = $(abspath $(BUILD))/fuzz
targets = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz:
	$(if $(filter $(targets),$(TARGET)),,$(error TARGET must be one of: $(targets)))
	@sh tests/setup.sh fuzz
	+@$(again) BUILD=$(BUILD) MODE=fuzz CC=clang \
	    $(BUILD)/fuzz/tests/fuzz/fuzz_$(TARGET)
	@mkdir -p $(fuzzed)/found_$(TARGET)
	$(fuzzed)/tests/fuzz/fuzz_$(TARGET) -max_total_time=$(SECONDS) \
	    -rss_limit_mb=4096 $(fuzzed)/found_$(TARGET) \
	    tests/fuzz/fuzz_$(TARGET).corpus

check: layers headers format-check check-gcc check-structure check-clang check-asan check-tsan \
       check-windows

# gcc warns of more when it optimizes; clang does not.
check-gcc:
	+$(again) BUILD=$(BUILD)/gcc CC=gcc CFLAGS="-O3 -g -Werror" all lib
check-clang:
	+$(again) BUILD=$(BUILD)/clang CC=clang CFLAGS="-O0 -Werror" all lib
# By the objects that are there already.
check-structure:
	+@$(again) BUILD=$(BUILD)/gcc CC=gcc CFLAGS="-O3 -g -Werror" structure
check-asan check-tsan: check-%:
	+$(again) MODE=$* unit
check-windows:
	@MODE=asan BUILD=$(BUILD) MAKE="$(MAKE)" sh tests/run-all.sh \
	    tests/e2e/cause-windows.sh

lib: $(out)/lib.a

# The seed is fixed, so what changes is the format or the records.
golden: $(out)/tests/unit/block/test_golden_blocks
	GOLDEN=write SEED=1 $<
# Reports of root cause, by the programs of MODE.
golden-cause: build-e2e
	UPDATE_GOLDEN=1 OUT=$(abspath $(out)) CALLBOARD=$(abspath $(binary)) \
	    SHOPGEN=$(abspath $(shopgen)) sh tests/e2e/cause-golden.sh

layers:
	@sh tests/layers.sh

# Type names, circles between files, sizes, heads of public headers.
structure:
	+@$(again) lib
	@python3 tests/structure.py $(out)

# Each header compiles alone.
headers:
	@printf '%s\n' include/*.h $(wildcard $(MODULES:%=%/*.h) daemon/*.h) | \
	    xargs -P $(cpus) -I {} sh -c '$(CC) -std=c11 -D_POSIX_C_SOURCE=200809L \
	        -D_DEFAULT_SOURCE -Wall -Wextra -Werror -Iinclude -I$$(dirname {}) \
	        $(dep_cflags) -fsyntax-only -x c {}'

format:
	clang-format -i $(ours)
format-check:
	@printf '%s\n' $(ours) | xargs -P $(cpus) -n 100 clang-format --dry-run -Werror || \
	    { echo "make format rewrites these files" >&2; exit 1; }
tidy: $(proto:=.h)
	clang-tidy --quiet $(filter %.c,$(ours)) -- -std=c11 \
	    -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Iinclude -Itests \
	    -I$(out)/proto -Idaemon $(MODULES:%=-I%) $(dep_cflags)

# What is printed from the option table.
docs: all
	$(out)/$(NAME) --help-man > dist/$(NAME).1
	$(out)/$(NAME) --help-config > dist/$(NAME).yaml

install: all
	install -D -m 755 $(out)/$(NAME) $(DESTDIR)$(PREFIX)/bin/$(NAME)
	for f in $(wildcard dist/$(NAME).1); do install -D -m 644 $$f \
	    $(DESTDIR)$(PREFIX)/share/man/man1/$(NAME).1; done
	for f in $(wildcard dist/$(NAME).service); do install -D -m 644 $$f \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/$(NAME).service; done
	cd dashboards && find . -type f | while read -r f; do install -D -m 644 $$f \
	    $(DESTDIR)$(PREFIX)/share/$(NAME)/dashboards/$$f; done
	cd skills && find . -type f | while read -r f; do install -D -m 644 $$f \
	    $(DESTDIR)$(PREFIX)/share/$(NAME)/skills/$$f; done
	for f in bash:bash-completion/completions/$(NAME) \
	    zsh:zsh/site-functions/_$(NAME) fish:fish/vendor_completions.d/$(NAME).fish; do \
	    mkdir -p $(DESTDIR)$(PREFIX)/share/$$(dirname $${f#*:}) && \
	    $(out)/$(NAME) completion $${f%%:*} > $(DESTDIR)$(PREFIX)/share/$${f#*:} && \
	    chmod 644 $(DESTDIR)$(PREFIX)/share/$${f#*:} || exit 1; done

clean:
	rm -rf $(BUILD)

help:
	@sed -n '/^#/!q; s/^# //p' Makefile

-include $(shell find $(out) -name '*.d' 2>/dev/null)

.PHONY: all lib build-unit build-fuzz build-e2e build-clickhouse build-bench fetch-kafka fetch-clickhouse run \
        demo test test-kafka test-clickhouse test-nightly \
        unit e2e web web-check setup bench bench-cause fuzz golden golden-cause check check-gcc check-clang \
        check-structure check-asan check-tsan check-windows layers structure headers format format-check tidy docs \
        install clean help FORCE
.SECONDARY:
