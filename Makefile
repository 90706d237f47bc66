# imdir. `make help` lists the targets.
# B holds everything made; a sanitized build and one for coverage have their own, so that all can exist side by side.
B      := $(if $(SAN),build/san,$(if $(COVERAGE),build/coverage,build))
PREFIX ?= /usr/local
DESTDIR ?=
WERROR ?= 1
V      ?=
ifeq ($(origin CC),default)
CC     := gcc
endif
Q      := $(if $(V),,@)
say     = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

WARN   := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wwrite-strings -Wmissing-prototypes \
          -Wstrict-prototypes -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough $(if $(WERROR),-Werror)
PKGS   := ldap lber libsasl2 yaml-0.1 popt jansson libcares libidn2 libcurl zlib
LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lcsv -lunistring -lpthread
HARDEN := -fPIE -fstack-protector-strong $(if $(SAN)$(COVERAGE),,-D_FORTIFY_SOURCE=2)
CFLAGS ?= $(if $(COVERAGE),-Og,-O2) -g
, := ,
SANFLAGS := $(if $(FUZZING),-fsanitize=fuzzer-no-link) $(if $(SAN),-fsanitize=address$(,)undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined) \
            $(if $(COVERAGE),--coverage)
override CFLAGS += -std=c17 $(WARN) $(HARDEN) $(SANFLAGS)
override CPPFLAGS += -D_GNU_SOURCE -I. $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
override LDFLAGS += -pie -Wl,-z,relro,-z,now,--as-needed $(SANFLAGS)

TOOLS     := imcheck imenable imdisable imschema imapply imundo imhome
LIB_SRC   := $(sort $(wildcard lib/*/*.c))
GEN_SRC   := $(B)/gen/profiles.c $(B)/gen/page.c
LIB_OBJ   := $(LIB_SRC:%.c=$(B)/%.o) $(GEN_SRC:.c=.o)
TOOL_MAIN := $(TOOLS:%=tools/%.c)
# What only imcheck needs draws libraries in that would cost the others time to start.
CHECK_OBJ := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tools/check*.c)))
TOOL_OBJ  := $(filter-out $(CHECK_OBJ),$(patsubst %.c,$(B)/%.o,$(filter-out $(TOOL_MAIN),$(sort $(wildcard tools/*.c)))))
UNIT_SRC  := $(sort $(wildcard tests/unit/test_*.c))
UNIT_HELP := $(patsubst %.c,$(B)/%.o,$(filter-out $(UNIT_SRC),$(sort $(wildcard tests/unit/*.c))))
UNIT_TOOL := amount command command_session common_options consent preview list progress progress_line sources output_file rejects table table_columns
UNIT_HELP += $(filter $(B)/tools/option% $(UNIT_TOOL:%=$(B)/tools/%.o),$(TOOL_OBJ))
UNIT_BIN  := $(UNIT_SRC:%.c=$(B)/%)
FUZZ      := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
CORPUS    := $(FUZZ:%=$(B)/tests/fuzz/corpus_%)
HELPERS   := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/support/*.c)))
BENCH_BIN := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/bench/*.c)))
DATA      := $(sort $(wildcard schema/*/*.yaml))

all: $(TOOLS:%=$(B)/bin/%)

$(B)/libimdir.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/bin/imcheck: $(CHECK_OBJ)
$(B)/bin/%: $(B)/tools/%.o $(TOOL_OBJ) $(B)/libimdir.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

# A profile travels inside the commands, so that they need no data directory.
$(B)/gen/profiles.c: $(DATA) schema/embed.sh
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D) && sh schema/embed.sh $(DATA) >$@.tmp && mv $@.tmp $@

# So do the style and the script of the HTML report.
$(B)/gen/page.c: lib/report/page/page.css lib/report/page/page.js lib/report/page/embed.sh
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D) && sh lib/report/page/embed.sh $(filter-out %.sh,$^) >$@.tmp && mv $@.tmp $@

# Says in one line what dozens of compiler errors would not.
libraries:
	@pkg-config --exists $(PKGS) || { echo "libraries are missing: run 'make deps'" >&2; exit 1; }

$(B)/%.o: %.c | libraries
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/gen/%.o: $(B)/gen/%.c
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tests/unit/test_%: $(B)/tests/unit/test_%.o $(UNIT_HELP) $(B)/libimdir.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup -o $@ $^ -lcmocka $(LIBS)

# What tests in Python start that is made of our own code.
$(B)/tests/support/%: $(B)/tests/support/%.o $(UNIT_HELP) $(B)/libimdir.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup -o $@ $^ -lcmocka $(LIBS)

$(B)/tests/fuzz/corpus_%: $(B)/tests/fuzz/corpus.o $(B)/tests/fuzz/fuzz_%.o $(B)/libimdir.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# With CC=clang FUZZING=1: the same targets, driven by libFuzzer.
$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/libimdir.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

$(B)/tests/bench/%: $(B)/tests/bench/%.o
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lldap -llber

units: $(UNIT_BIN) $(CORPUS)
bench-tools: $(BENCH_BIN) $(HELPERS)
fuzzers: $(FUZZ:%=$(B)/tests/fuzz/fuzz_%)

# ---- packages, demonstration and tests ----
# What pkg-config says is right only once the packages are there: these targets install first and then call make again.
JOBS   = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))
REMAKE = $(MAKE) --no-print-directory $(JOBS)
# The tests run on the sanitized build, or on the one that counts lines.
CHECKED = $(if $(COVERAGE),COVERAGE=1,SAN=1)
CHECKED_B = $(if $(COVERAGE),build/coverage,build/san)
SUITES ?= unit meta integration samba browser lint builds valgrind

deps:
	@packaging/deps build run demo tests lint samba browser fuzz bench

demo:
	@packaging/deps build run demo
	@$(REMAKE) all
	@B=$(B) demo/run

check:
	@packaging/deps build run demo tests
	@$(REMAKE) $(CHECKED) all units bench-tools
	@B=$(CHECKED_B) tests/run unit meta integration
	$(if $(COVERAGE),@packaging/deps lint && gcovr -r . --object-directory $(CHECKED_B) -f lib/ -f tools/)

check-integration:
	@packaging/deps build run demo tests
	@$(REMAKE) $(CHECKED) all bench-tools
	@B=$(CHECKED_B) tests/run integration

check-samba:
	@packaging/deps build run demo tests samba
	@$(REMAKE) $(CHECKED) all
	@B=$(CHECKED_B) tests/run samba

# SUITES="samba lint" runs a part of it.
check-all:
	@packaging/deps build run demo tests lint samba browser
	@$(REMAKE) $(CHECKED) all units bench-tools
	@$(REMAKE) SAN= COVERAGE= all units
	@B=$(CHECKED_B) tests/run $(SUITES)

# The whole source with the other compiler; warnings are errors.
build-clang:
	@$(MAKE) --no-print-directory CC=clang B=build/clang SAN= COVERAGE= all units bench-tools

# Ratios against a bare client and what is used instead, on servers with 100,000 accounts: half an hour. QUICK=1: two minutes,
# LARGE=1: a million accounts too, DISK=1: also with the server's database on this disk, ONLY="bulk-0 start": a part.
BENCH_B = $(if $(SAN)$(COVERAGE),build,$(B))
bench:
	@packaging/deps build run demo tests bench
	@$(REMAKE) SAN= COVERAGE= B=$(BENCH_B) all bench-tools
	@B=$(BENCH_B) tests/bench/run

# New inputs that libFuzzer finds worth keeping stay in build/fuzz; one that breaks a target is left there as crash-*.
FUZZ_SECONDS ?= 60
fuzz:
	@packaging/deps build tests fuzz
	@$(REMAKE) CC=clang B=build/fuzz SAN=1 FUZZING=1 COVERAGE= fuzzers
	@for name in $(FUZZ); do \
	    mkdir -p build/fuzz/corpus/$$name; \
	    build/fuzz/tests/fuzz/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 -print_final_stats=1 \
	        -artifact_prefix=build/fuzz/ build/fuzz/corpus/$$name tests/fuzz/corpus/$$name </dev/null || exit 1; \
	done

# ---- style ----
C_SRC   := $(LIB_SRC) $(sort $(wildcard tools/*.c tests/unit/*.c tests/fuzz/*.c tests/bench/*.c tests/support/*.c))
C_ALL   := $(C_SRC) $(sort $(wildcard lib/*.h lib/*/*.h tools/*.h tests/unit/*.h tests/fuzz/*.h))
SCRIPTS  = $(shell grep -lIE '^\#!.*(/|env )(sh|bash)$$' .ci/run $$(find packaging schema lib demo tests -type f))

lint: format-check lint-tidy lint-cppcheck lint-shell lint-man

format:
	clang-format -i $(C_ALL)

format-check:
	@clang-format --dry-run -Werror $(C_ALL)

lint-tidy: $(B)/gen/profiles.c
	@printf '%s\n' $(C_SRC) | xargs -P $$(nproc) -n 1 sh -c \
	    'said=$$(clang-tidy --quiet "$$@" -- $(CPPFLAGS) -std=c17 2>&1) || { printf "%s\n" "$$said"; exit 1; }' tidy

lint-cppcheck:
	@cppcheck --quiet --std=c11 --inline-suppr --error-exitcode=1 --enable=warning,portability -I. -D_GNU_SOURCE $(C_SRC)

lint-shell:
	@shellcheck $(SCRIPTS)

lint-man:
	@mandoc -Tlint -Wwarning $(MAN)

# ---- what is generated and committed ----
completions: all
	@for tool in $(TOOLS); do \
	    $(B)/bin/$$tool --completion=bash >completions/bash/$$tool && \
	    $(B)/bin/$$tool --completion=zsh >completions/zsh/_$$tool && \
	    $(B)/bin/$$tool --completion=fish >completions/fish/$$tool.fish || exit 1; \
	done

schema.ldif: all
	$(Q)$(B)/bin/imschema --ldif ad >$@.tmp && mv $@.tmp $@

# ---- installation ----
MAN     := $(sort $(wildcard tools/*.[1-8]))
# source:place below PREFIX
PLACES  := $(foreach t,$(TOOLS),$(B)/bin/$(t):bin/$(t)) \
           $(foreach m,$(MAN),$(m):share/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) \
           $(foreach c,$(wildcard completions/bash/*),$(c):share/bash-completion/completions/$(notdir $(c))) \
           $(foreach c,$(wildcard completions/zsh/*),$(c):share/zsh/site-functions/$(notdir $(c))) \
           $(foreach c,$(wildcard completions/fish/*),$(c):share/fish/vendor_completions.d/$(notdir $(c))) \
           $(foreach f,$(sort $(wildcard schema/*/*)) schema.ldif,$(f):share/imdir/$(f)) \
           $(foreach f,README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE schema/README.md $(sort $(wildcard docs/*)),$(f):share/doc/imdir/$(f))

install: all
	@for place in $(PLACES); do \
	    source=$${place%%:*}; target='$(DESTDIR)$(PREFIX)'/$${place#*:}; \
	    case $$target in */bin/*) mode=755 ;; *) mode=644 ;; esac; \
	    install -D -m $$mode "$$source" "$$target" || exit 1; \
	done

uninstall:
	@for place in $(PLACES); do rm -f '$(DESTDIR)$(PREFIX)'/$${place#*:}; done

VERSION = $(shell sed -n 's/^.define IMDIR_VERSION "\(.*\)"/\1/p' lib/imdir.h)
dist:
	@mkdir -p build && git archive --format=tar.gz --prefix=imdir-$(VERSION)/ -o build/imdir-$(VERSION).tar.gz HEAD
	@echo build/imdir-$(VERSION).tar.gz

clean:
	rm -rf build

help:
	@echo 'all                the commands, in build/bin (default)'
	@echo 'demo               shows the commands at work on a private directory with 200 people'
	@echo 'check              unit programs, consistency checks, and tests against private OpenLDAP servers'
	@echo 'check-integration  only the tests against OpenLDAP'
	@echo 'check-samba        the tests against a real Samba AD domain controller (as root)'
	@echo 'check-all          check, check-samba, a browser, lint, builds with gcc and clang, valgrind'
	@echo 'fuzz               libFuzzer on every parser, FUZZ_SECONDS=60 each'
	@echo 'bench              how fast: ratios against a bare client and against what is used instead (QUICK=1 LARGE=1 DISK=1)'
	@echo 'deps               installs every package that any of these need (Debian, as root)'
	@echo 'lint format format-check   style and static analysis; reformat; only compare'
	@echo 'completions schema.ldif    rewrite the files that the commands generate'
	@echo 'install uninstall  below PREFIX (default /usr/local), within DESTDIR'
	@echo 'dist clean         a source archive; remove everything made'
	@echo
	@echo 'SAN=1 with the address and undefined-behaviour sanitizers   COVERAGE=1 with gcov (also: make check COVERAGE=1)'
	@echo 'WERROR= warnings are not errors   V=1 show commands   CC=clang CFLAGS=...'

.PHONY: all units fuzzers bench-tools libraries deps demo check check-integration check-samba check-all build-clang bench fuzz lint format \
        format-check lint-tidy lint-cppcheck lint-shell lint-man completions schema.ldif install uninstall dist clean help
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
