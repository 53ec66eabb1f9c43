# TrailGuard's build. `make help` lists the targets; docs/internals/build.md explains them.
#
# Variables worth setting: PREFIX, DESTDIR, CC, CFLAGS, LDFLAGS, V=1 (print commands), WERROR=1,
# SANITIZE=address,undefined (own object directory), TEST_WRAPPER=valgrind, FUZZ_SECONDS=30.

# $(call once,NAME,COMMAND): what the command prints, which runs when NAME is first needed: no other target pays for it.
comma := ,
once = $(eval $(1) := $(subst $$,$$$$,$(shell $(2))))$($(1))

# VERSION has the last release. A checkout of another commit adds that commit's time, which sorts, and its name. In an
# exported tree VERSION has it all.
GIT        := TZ=UTC0 git -c safe.directory='*'
VERSION     = $(call once,VERSION,printf %s "$$(cat VERSION)"; test ! -e .git || $(GIT) tag --points-at HEAD | grep -qx "v$$(cat VERSION)" || \
                  $(GIT) log -1 --date=format-local:%Y%m%d.%H%M --abbrev=10 --format=+git%cd.%h)
PREFIX     ?= /usr/local
sbindir    ?= $(PREFIX)/sbin
datadir    ?= $(PREFIX)/share
mandir     ?= $(datadir)/man
docdir     ?= $(datadir)/doc/trailguard
unitdir    ?= $(PREFIX)/lib/systemd/system
catalogdir ?= $(PREFIX)/lib/systemd/catalog
bashcompdir ?= $(datadir)/bash-completion/completions
zshcompdir  ?= $(datadir)/zsh/vendor-completions
fishcompdir ?= $(datadir)/fish/vendor_completions.d
sysconfdir ?= /etc

BUILD   ?= build$(if $(SANITIZE),/asan)
PYTHON  := /usr/bin/python3
PKG_CONFIG ?= pkg-config
CFLAGS  ?= -O2 -g
WERROR  ?= $(if $(filter true,$(CI)),1)

# The oldest versions that are supported; see docs/internals/build.md.
REQUIRES := libcurl >= 7.76 openssl >= 3.0 jansson >= 2.13 libconfig >= 1.5 libsystemd >= 247 expat
LIBS     := libcurl openssl jansson libconfig libsystemd expat

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla \
            -Wformat=2 -Wundef -Wpointer-arith -Wwrite-strings $(if $(WERROR),-Werror)
HARDEN   := -fPIE -fno-common -fstack-protector-strong $(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
SANFLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)

LIB_CFLAGS    = $(call once,LIB_CFLAGS,$(PKG_CONFIG) --cflags $(LIBS) 2>/dev/null)
ALL_CPPFLAGS  = -I. -D_GNU_SOURCE $(CPPFLAGS) $(LIB_CFLAGS)
ALL_CFLAGS   := -std=gnu11 $(CFLAGS) $(WARNINGS) $(HARDEN) $(SANFLAGS) $(EXTRA_CFLAGS)
ALL_LDFLAGS  := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANFLAGS) $(LDFLAGS)
LDLIBS        = $(call once,LDLIBS,$(PKG_CONFIG) --libs $(LIBS) 2>/dev/null)
CMOCKA_LIBS   = $(call once,CMOCKA_LIBS,$(PKG_CONFIG) --libs cmocka)

# What is built from what.
LIB_SRC  := $(sort $(wildcard lib/*.c lib/*/*.c))
MAIN_SRC := daemon/main.c
CORE_SRC := $(filter-out $(MAIN_SRC),$(sort $(wildcard daemon/*.c daemon/*/*.c)))
TEST_SRC := $(sort $(wildcard tests/unit/test_*.c))
HELP_SRC := $(filter-out $(TEST_SRC),$(sort $(wildcard tests/unit/*.c)))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
TOOL_SRC := $(sort $(wildcard tests/integration/*.c))
LOAD_SRC := $(sort $(wildcard tests/integration/preload/*.c))
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))
SOURCES  := $(LIB_SRC) $(CORE_SRC) $(MAIN_SRC)

obj       = $(patsubst %.c,$(BUILD)/%.o,$(1))
BINARY   := $(BUILD)/trailguard
ARCHIVES := $(BUILD)/libtrailguard-core.a $(BUILD)/libtgaws.a
UNITS    := $(patsubst %.c,$(BUILD)/%,$(TEST_SRC))
REPLAYS  := $(patsubst %.c,$(BUILD)/%,$(FUZZ_SRC))
# What integration tests run beside the binary.
TOOLS    := $(patsubst %.c,$(BUILD)/%,$(TOOL_SRC))
# Unit tests that write the alerts of all their cases, which integration tests hold against the schema.
WRITERS  := $(addprefix $(BUILD)/tests/unit/,test_alert test_alert_tamper)
# What they preload into the binary; not into one with sanitizers, which want to be the first library.
PRELOADS := $(if $(SANITIZE),,$(patsubst %.c,$(BUILD)/%.so,$(LOAD_SRC)))
# What the benchmark runs beside it: a stand-in for AWS and the floors, which need none of our code.
BENCHES  := $(addprefix $(BUILD)/tests/bench/,server floor_curl floor_raw)
# The simulated AWS has tests of its own, which do not need the binary.
PYTESTS  := $(wildcard tests/aws tests/bench tests/integration)
BINTESTS := $(wildcard tests/integration)

Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-5s %s\n' '$(1)' '$(2)')

.PHONY: all
all: $(BINARY)                                 ## build the binary (default)

$(BINARY): $(call obj,$(MAIN_SRC)) $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libtgaws.a: $(call obj,$(LIB_SRC))
$(BUILD)/libtrailguard-core.a: $(call obj,$(CORE_SRC))
$(ARCHIVES):
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# Only this is built again when nothing but the version has changed.
VERSIONED := daemon/version.c
VERSION_FLAG = $(if $(filter $<,$(VERSIONED)),-DTRAILGUARD_VERSION='"$(VERSION)"')
$(call obj,$(VERSIONED)): $(BUILD)/version

$(BUILD)/%.o: %.c $(BUILD)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(VERSION_FLAG) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Rewritten only when the compiler or a flag changes, so that every object is then built anew.
$(BUILD)/flags: FORCE
	@$(PKG_CONFIG) --print-errors --exists '$(REQUIRES)' || { echo 'libraries are missing: run "make deps"' >&2; exit 1; }
	@mkdir -p $(@D)
	@new=$@.$$$$; printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS))' >$$new; \
	    if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi

$(BUILD)/version: FORCE
	@mkdir -p $(@D)
	@test "$$(cat $@ 2>/dev/null)" = '$(VERSION)' || printf '%s\n' '$(VERSION)' >$@

# A unit test is one file, linked with both libraries and with the helpers beside it. A test that needs more of the
# linker says so in a comment of its own:  /* link: -Wl,--wrap=malloc */
$(UNITS): $(BUILD)/%: $(BUILD)/%.o $(call obj,$(HELP_SRC)) $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(shell sed -n 's|^/\* link: \(.*\) \*/$$|\1|p' $*.c) -o $@ $^ \
	    $(LDLIBS) $(CMOCKA_LIBS)

$(REPLAYS): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/fuzz/driver.o $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(TOOLS): $(BUILD)/%: $(BUILD)/%.o $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(PRELOADS): $(BUILD)/%.so: %.c $(BUILD)/flags
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) -U_FORTIFY_SOURCE $(filter-out -D_FORTIFY_SOURCE=2 -fPIE,$(ALL_CFLAGS)) -fPIC -shared -o $@ $<

$(BUILD)/tests/bench/server: $(BUILD)/tests/bench/server_aws.o
$(BENCHES): $(BUILD)/%: $(BUILD)/%.o
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

.PHONY: objects units test-tools
objects: $(call obj,$(SOURCES))
units: $(UNITS) $(REPLAYS) $(TOOLS) $(BENCHES)
test-tools: $(TOOLS) $(WRITERS) $(PRELOADS) $(BENCHES)

# ---- tests ------------------------------------------------------------------------------------------------------

export ASAN_OPTIONS  ?= detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS ?= print_stacktrace=1
export TG_TIME_SCALE ?= $(if $(SANITIZE),3,1)
export PYTHONDONTWRITEBYTECODE := 1
PYTEST = env TRAILGUARD_BIN="$${TRAILGUARD_BIN:-$(abspath $(BINARY))}" $(PYTHON) -m pytest $(PYTEST_ARGS)
# The integration tests wait most of the time, each worker with a simulated AWS of its own; those that judge intervals are
# left room.
PYTEST_JOBS ?= $(if $(filter timed,$(TESTS)),3,$(if $(SANITIZE),10,7))
PARALLEL = tools/run-pytest $(abspath $(BUILD)/pytest-$@) $(PYTEST_JOBS) $(PYTEST)
# TESTS=timed: only the integration tests that a busy machine could fail; TESTS=untimed: all others
ifneq ($(filter-out timed untimed,$(TESTS)),)
$(error TESTS=$(TESTS): allowed are timed and untimed)
endif
PICK = $(if $(TESTS),-m '$(patsubst untimed,not timed,$(TESTS))')

.PHONY: golden check check-unit check-integration check-systemd check-distros check-packages check-asan check-valgrind lint fuzz
check:                                         ## everything below, with a summary; installs what is missing
	@MAKE='$(MAKE)' tools/check check-deps check-unit 'check-integration TESTS=timed' 'check-valgrind TESTS=timed' \
	    --together 'check-integration TESTS=untimed' 'check-asan TESTS=untimed' \
	    --beside check-systemd check-distros 'check-packages TRAILGUARD_SUITES=' \
	    --nice lint 'check-valgrind TESTS=untimed'

check-unit: $(UNITS) $(REPLAYS)                ## unit tests and replay of the fuzz corpora
	@tools/run-units $(UNITS)
	@set -e; for f in $(REPLAYS); do $(TEST_WRAPPER) $$f "tests/fuzz/corpus/$${f##*/fuzz_}"; done

GOLDEN := $(addprefix $(BUILD)/tests/unit/,test_golden test_config test_config_expect test_verbs test_metrics test_protection_rows test_doctor_rows)
golden: $(GOLDEN)                              ## write the golden texts of alerts, errors and metrics again; review the diff
	@for t in $(GOLDEN); do TRAILGUARD_GOLDEN_UPDATE=1 $$t >/dev/null || exit 1; done

.PHONY: deploy-templates
deploy-templates: all                          ## write the policies in docs/deploy/ again; review the diff
	@TRAILGUARD_BIN=$(abspath $(BINARY)) $(PYTHON) tests/integration/deploy.py

.PHONY: quick test size
quick: all $(UNITS)                            ## the round while working: unit tests and the cheap lints
	@UNIT_JOBS=$(shell nproc) tools/run-units $(UNITS) >$(BUILD)/quick.log 2>&1 || { grep -E '^\[  (ERROR|FAILED)|^unit tests failed' $(BUILD)/quick.log; exit 1; }
	@tail -n 1 $(BUILD)/quick.log
	@tests/lint/walls.py && tests/lint/purity.py $(BUILD) && tests/lint/tidy.py && tests/lint/prose.py && tests/lint/links.py && \
	    tests/lint/promises.py $(BINARY) && tests/lint/circles.py $(BUILD) && tests/lint/exports.py $(BUILD) && \
	    tests/lint/statics.py $(BUILD) && tests/lint/error_texts.py

# T names unit test programs (test_guard) or integration tests (test_restart, or test_restart.py::test_x); K picks cases.
test: all test-tools                           ## one test: make test T=test_guard, T=test_restart K=pattern
	@test -n '$(T)' || { echo 'which test? make test T=test_guard, or T=test_restart K=pattern' >&2; exit 2; }
	@if [ -e tests/unit/$(T).c ]; then $(MAKE) --no-print-directory $(BUILD)/tests/unit/$(T) && $(BUILD)/tests/unit/$(T); \
	    else f=$(firstword $(subst ::, ,$(T))); $(PYTEST) tests/integration/$${f%.py}.py$(if $(findstring ::,$(T)),::$(lastword $(subst ::, ,$(T)))) \
	    $(if $(K),-k '$(K)'); fi

size: all                                      ## how large the program is, and which files call each other
	@tools/size $(BUILD)

check-integration: all test-tools              ## the real binary against the simulated AWS
	@$(if $(filter untimed,$(TESTS)),,rm -rf $(BUILD)/attacks) # the timed ones, which run before, are part of the page
	@TRAILGUARD_ATTACKS=$(abspath $(BUILD)/attacks) $(PARALLEL) $(PICK) $(PYTESTS)
	@$(if $(SANITIZE)$(filter timed,$(TESTS)),,tests/integration/attacks_table --check $(BUILD)/attacks docs/attacks.md)

check-asan:                                    ## units and integration under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory SANITIZE=address,undefined TG_TIME_SCALE=3 check-unit
	@$(MAKE) --no-print-directory SANITIZE=address,undefined TG_TIME_SCALE=3 check-integration PYTESTS='$(BINTESTS) --ignore=tests/integration/test_attacks.py'

# -O1: a line that was optimized away would count as one that no test ran. A verb that a test runs as another user
# cannot write its counters, and would say so on stderr.
.PHONY: coverage coverage-core
COVERAGE_MIN ?= 92
COVERAGE = $(MAKE) --no-print-directory BUILD=build/coverage CFLAGS='-O1 -g' LDFLAGS=--coverage \
               EXTRA_CFLAGS='--coverage -fprofile-abs-path -fprofile-update=atomic' TG_TIME_SCALE=3 \
               GCOV_ERROR_FILE=/dev/null
coverage:                                      ## which lines of lib/ and daemon/ the tests reach; fails below COVERAGE_MIN (92) %
	@tools/deps coverage
	@find build/coverage -name '*.gcda' -delete 2>/dev/null || mkdir -p build/coverage
	@$(COVERAGE) check-unit
	@tools/coverage-branches build/coverage tests/coverage.reasons
	@$(COVERAGE) check-integration TESTS=untimed PYTESTS='$(BINTESTS)'
	@tools/coverage build/coverage $(COVERAGE_MIN)

coverage-core:                                 ## which branches of daemon/core no unit test takes, 3 minutes; fails for one that is not in tests/coverage.reasons
	@tools/deps coverage
	@find build/coverage -name '*.gcda' -delete 2>/dev/null || mkdir -p build/coverage
	@$(COVERAGE) check-unit
	@tools/coverage-branches build/coverage tests/coverage.reasons

# TESTS=timed: only the units that have real waits on sockets, which a busy machine could fail; TESTS=untimed: all others
SOCKET_UNITS   := $(filter $(BUILD)/tests/unit/test_http_curl% $(BUILD)/tests/unit/test_loop%,$(UNITS))
VALGRIND_UNITS  = $(if $(filter timed,$(TESTS)),$(SOCKET_UNITS),$(filter-out $(if $(TESTS),$(SOCKET_UNITS)),$(UNITS)))
VALGRIND_TESTS  = $(if $(filter timed,$(TESTS)),,$(BINTESTS))
check-valgrind: all units                      ## units and the integration tests marked "valgrind" under valgrind
	@rm -rf $(BUILD)/valgrind
	@TEST_STORIES=300 TEST_STEP=2503 $(MAKE) --no-print-directory check-unit UNITS='$(VALGRIND_UNITS)' \
	    $(if $(filter timed,$(TESTS)),REPLAYS=) UNIT_JOBS=$(shell nproc) TEST_WRAPPER=tests/valgrind/wrap \
	    VALGRIND_LOGS=$(abspath $(BUILD)/valgrind)
	@export VALGRIND_LOGS=$(abspath $(BUILD)/valgrind) TG_TIME_SCALE=10 TRAILGUARD_REAL_BIN=$(abspath $(BINARY)) \
	    TRAILGUARD_BIN=$(abspath tests/valgrind/trailguard); \
	    $(if $(VALGRIND_TESTS),$(PARALLEL) -m valgrind $(VALGRIND_TESTS),true)
	@tests/valgrind/report $(BUILD)/valgrind $(notdir $(VALGRIND_UNITS)) $(if $(VALGRIND_TESTS),trailguard)

check-systemd: all                             ## the unit under a real systemd in a container (needs root)
	@PYTEST='$(PYTEST)' tests/systemd/run

# Each suite's own compiler, libraries, systemd; TRAILGUARD_SUITES names others.
TRAILGUARD_SUITES ?= trixie sid
check-distros:                                 ## build, unit tests and the unit on newer Debians in containers (needs root)
	@PYTEST_ARGS='$(PYTEST_ARGS)' tests/systemd/distros $(TRAILGUARD_SUITES)

check-packages:                                ## build, install, walk through, upgrade and purge the packages in containers
	@tools/deps packages
	@BUILD=$(BUILD) tests/systemd/packages $(TRAILGUARD_SUITES)

lint: all                                      ## walls, purity, circles, scripts, unit file, cppcheck, clang-tidy, -fanalyzer
	@MAKE='$(MAKE) --no-print-directory' BUILD=$(BUILD) tests/lint/run

.PHONY: lint-analyzers lint-newest
lint-analyzers: all                            ## the last three of these alone
	@MAKE='$(MAKE) --no-print-directory' BUILD=$(BUILD) tests/lint/run analyzers

lint-newest:                                   ## these three in sid's newest versions, in a container (needs root)
	@tests/systemd/analyzers sid

# BENCH_QUICK=1: less than 2 minutes, and coarse. BENCH_ONLY="warm-1s closed": these scenarios alone.
.PHONY: bench bench-docs bench-simulation
bench: all $(BENCHES)                          ## CPU, memory and latency beside the floors and AWS's own clients, 12 minutes
	@BUILD=$(BUILD) $(PYTHON) tests/bench/run $(if $(BENCH_QUICK),--quick) $(addprefix --only ,$(BENCH_ONLY))

bench-simulation: $(BUILD)/tests/unit/test_shards ## 50,000 accounts x 3 regions in 15 shards, in virtual time: minutes
	@$< 50000 15 $(BUILD)/bench-simulation.json

bench-docs:                                    ## docs/performance.md from the last run of `make bench`
	@$(PYTHON) tests/bench/report.py $(BUILD)/bench.json --document docs/performance.md

.PHONY: soak
soak: all test-tools                           ## 200 accounts x 5 regions, GAMES games of an attacker, a day of churn, every fault: hours
	@TG_SOAK_PASSES=$${TG_SOAK_PASSES:-360} $(PYTEST) tests/integration/test_scale.py
	@TRAILGUARD_GAMES=$${GAMES:-1000} TRAILGUARD_SEED=$${SEED:-$$(date +%s)} TRAILGUARD_AT_ONCE=$${AT_ONCE:-12} \
	    $(PYTEST) -n $${PLAYERS:-$$(nproc)} tests/integration/test_games.py
	@TG_CHURN_ROUNDS=$${TG_CHURN_ROUNDS:-144} $(PYTEST) tests/integration/test_churn.py
	@FAULTS=all $(PYTEST) tests/integration/test_faults.py tests/integration/test_kills.py tests/integration/test_memory.py

.PHONY: days
days: all test-tools                           ## two weeks of a guard on a clock that jumps to the next timer: minutes
	@TG_DAYS_HOURS=$${TG_DAYS_HOURS:-336} $(PYTEST) -s tests/integration/test_days.py

FUZZ_SECONDS ?= 30
fuzz:                                          ## fuzz every target for FUZZ_SECONDS with clang's libFuzzer
	@$(MAKE) --no-print-directory BUILD=build/fuzz CC=clang SANITIZE=address,undefined,fuzzer-no-link fuzz-run

.PHONY: fuzz-run
fuzz-run: $(call obj,$(FUZZ_SRC)) $(ARCHIVES)
	@BUILD=$(BUILD) CC='$(CC)' LDLIBS='$(LDLIBS)' tests/fuzz/run $(FUZZ_SECONDS) $(ARCHIVES)

# Static analysis that follows the objects, so that a file is read again only when it or its headers changed.
.PHONY: tidy
tidy: $(patsubst %.c,$(BUILD)/%.tidy,$(SOURCES))
$(BUILD)/%.tidy: %.c $(BUILD)/%.o .clang-tidy
	$(call say,TIDY,$<)
	$(Q)clang-tidy --quiet $< -- -std=gnu11 $(ALL_CPPFLAGS) $(VERSION_FLAG) $(filter-out -Werror,$(WARNINGS)) && touch $@

# ---- the rest ---------------------------------------------------------------------------------------------------

.PHONY: deps check-deps demo install uninstall clean help
deps:                                          ## install what building needs, if it is missing
	@tools/deps build

check-deps:                                    ## install what `make check` needs besides, some 140 packages
	@tools/deps check

demo:                                          ## build, then watch TrailGuard guard a simulated account
	@tools/deps demo
	@$(MAKE) --no-print-directory all
	@TRAILGUARD_BIN=$(abspath $(BINARY)) tests/demo/run

# An instance has a configuration and directories of its own: no two guards share a state.
.PHONY: install-units
UNIT_OF = sed -e 's|@sbindir@|$(sbindir)|g' -e 's|@title@|$(1)|' -e 's|@options@|$(2)|' -e 's|@directory@|$(3)|' \
              systemd/trailguard.service.in
install-units:
	install -d -m 0755 $(DESTDIR)$(unitdir)
	$(call UNIT_OF,TrailGuard,,trailguard) >$(DESTDIR)$(unitdir)/trailguard.service
	$(call UNIT_OF,TrailGuard %i, -c /etc/trailguard/%i.conf,trailguard@%i) >'$(DESTDIR)$(unitdir)/trailguard@.service'
	chmod 0644 $(DESTDIR)$(unitdir)/trailguard.service '$(DESTDIR)$(unitdir)/trailguard@.service'

# systemd refreshes credentials on reload from 260 on, and older ones would warn about the line.
UNTIL_260 = $(call once,UNTIL_260,$(PKG_CONFIG) --atleast-version=260 libsystemd 2>/dev/null || echo "-e '/systemd 260/$(comma)+1d'")
# What its links reach is installed too, in the same tree.
DOCS = README.md CONTRIBUTING.md SECURITY.md LICENSE $(wildcard docs/*.md docs/*.json docs/internals/*.md conf/iam/*) \
       $(wildcard docs/pictures/*.svg docs/prometheus/* docs/deploy/*/*.yaml docs/deploy/*/*/* systemd/examples/*) \
       conf/trailguard.conf tests/aws/README.md
install: all                                   ## install below DESTDIR, PREFIX=/usr/local
	install -D -m 0755 $(BINARY) $(DESTDIR)$(sbindir)/trailguard
	$(MAKE) --no-print-directory install-units
	test -e $(DESTDIR)$(sysconfdir)/trailguard.conf || \
	    install -D -m 0644 conf/trailguard.conf $(DESTDIR)$(sysconfdir)/trailguard.conf
	for d in $(DOCS); do install -D -m 0644 $$d $(DESTDIR)$(docdir)/$$d || exit 1; done
	sed -i -e '' $(UNTIL_260) $(DESTDIR)$(docdir)/systemd/examples/credentials.conf
	for p in $(wildcard docs/man/*.[1-8]); do install -D -m 0644 -t $(DESTDIR)$(mandir)/man$${p##*.} $$p || exit 1; done
	for c in $(wildcard conf/*.catalog); do install -D -m 0644 -t $(DESTDIR)$(catalogdir) $$c || exit 1; done
	install -D -m 0644 -t $(DESTDIR)$(bashcompdir) conf/completion/trailguard
	install -D -m 0644 -t $(DESTDIR)$(zshcompdir) conf/completion/_trailguard
	install -D -m 0644 -t $(DESTDIR)$(fishcompdir) conf/completion/trailguard.fish
	test -n "$(DESTDIR)" || install -d -m 0755 $(sysconfdir)/trailguard
	@test -n "$(DESTDIR)" || ! test -d /run/systemd/system || tools/after-install installed

.PHONY: site
SITE ?= build/site
site:                                          ## the pages as a static site in build/site/html, by mkdocs
	rm -rf $(SITE)/pages $(SITE)/html
	@for d in $(DOCS) docs/site.css; do install -D -m 0644 $$d $(SITE)/pages/$$d || exit 1; done
	@sed 's|\.\./build/site|$(abspath $(SITE))|' docs/mkdocs.yml >$(SITE)/mkdocs.yml
	mkdocs build --strict --quiet --config-file $(SITE)/mkdocs.yml
	@# Debian 12's theme names scripts that its package has under another name, or not at all
	@cd $(SITE)/html/js && for f in jquery-3.6.0.min.js theme_extra.js html5shiv.min.js; do \
	    test -e $$f || cp "$$(ls | grep -m 1 "^$${f%%[-.]*}-.*js$$" || echo /dev/null)" $$f || exit 1; done

uninstall:                                     ## remove what install put there; configuration and state stay
	rm -f $(DESTDIR)$(sbindir)/trailguard $(DESTDIR)$(unitdir)/trailguard.service \
	    '$(DESTDIR)$(unitdir)/trailguard@.service'
	rm -f $(addprefix $(DESTDIR)$(catalogdir)/,$(notdir $(wildcard conf/*.catalog))) $(DESTDIR)$(bashcompdir)/trailguard \
	    $(DESTDIR)$(zshcompdir)/_trailguard $(DESTDIR)$(fishcompdir)/trailguard.fish
	for p in $(notdir $(wildcard docs/man/*.[1-8])); do rm -f $(DESTDIR)$(mandir)/man$${p##*.}/$$p; done
	rm -rf $(DESTDIR)$(docdir)
	@test -n "$(DESTDIR)" || ! test -d /run/systemd/system || tools/after-install removed

.PHONY: deb rpm
deb:                                           ## build a Debian package of the last commit, in build/packages
rpm:                                           ## build an rpm of it, likewise
deb rpm:
	@VERSION='$(VERSION)' tools/package $@ $(BUILD)/packages

clean:                                         ## remove everything that was built
	rm -rf build

help:                                          ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' Makefile | while read -r t d; do printf '  %-18s %s\n' "$$t" "$$d"; done

.PHONY: FORCE
FORCE:
.DELETE_ON_ERROR:
.SECONDARY:
-include $(patsubst %.o,%.d,$(call obj,$(SOURCES) $(TEST_SRC) $(HELP_SRC) $(FUZZ_SRC) $(TOOL_SRC) $(BENCH_SRC) \
    tests/fuzz/driver.c))
