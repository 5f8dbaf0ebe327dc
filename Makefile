# SPDX-License-Identifier: MIT
#
# The front door. CMake and Ninja do the building, into build/.
#
#   make            build/bin/gort, build/lib/libgort.a, build/lib/libgort.so, build/include
#   make run        the above, then the tour, findex on /usr/include, and the audit of a demo site
#   make test       the whole suite in all its variants (tools/test --list); installs what it needs
#   make check      one variant, quickly
#   make conform    the transcripts compared with Go's
#   make bench      the figures beside Go's; HTTP=1: servers under wrk; GO=1: Go's own benchmarks
#   make tidy       the house style
#   make docs       docs/REFERENCE.md from the headers
#   make install    PREFIX=/usr/local, DESTDIR=
#   make clean
#
# Variables: CC, CFLAGS, BUILD_TYPE (RelWithDebInfo), CMAKE_ARGS, JOBS.

PREFIX     ?= /usr/local
DESTDIR    ?=
BUILD_TYPE ?= RelWithDebInfo
CMAKE_ARGS ?=
JOBS       ?=

B     := build
NINJA := ninja -C $(B) $(if $(JOBS),-j$(JOBS))

# What the command line or the environment says about the compiler goes to CMake.
CONFIG := -DCMAKE_BUILD_TYPE=$(BUILD_TYPE)
ifneq ($(origin CC),default)
CONFIG += -DCMAKE_C_COMPILER=$(CC)
endif
ifneq ($(origin CFLAGS),undefined)
CONFIG += "-DCMAKE_C_FLAGS=$(CFLAGS)"
endif
CONFIG += $(CMAKE_ARGS)

.PHONY: all build run audit test check conform bench tidy docs format install uninstall clean \
    setup FORCE

all:
	@tools/setup --check build
	@$(MAKE) --no-print-directory build

build: $(B)/build.ninja
	@$(NINJA) --quiet

# Ninja calls CMake again when CMake's files changed; this is for the first time and for a change of
# the variables above.
$(B)/build.ninja: FORCE
	@mkdir -p $(B)
	@if [ ! -f $@ ] || ! printf '%s\n' '$(CONFIG)' | cmp -s - $(B)/.config; then \
	    cmake -G Ninja -S . -B $(B) $(CONFIG) >$(B)/configure.log 2>&1 || \
	        { cat $(B)/configure.log >&2; exit 1; }; \
	    printf '%s\n' '$(CONFIG)' >$(B)/.config; fi

setup:
	@tools/setup build

run: setup
	@$(MAKE) --no-print-directory build
	@if [ -f examples/tour.c ]; then $(B)/bin/gort run examples/tour.c; fi
	@$(B)/bin/gort run examples/findex.c -- /usr/include
	@$(MAKE) --no-print-directory audit

# The demonstration site on a free port of 127.0.0.1, and the auditor on that. It has findings: they
# are planted.
A := examples/audit
audit: $(B)/lib/libgort-http.a
	@mkdir -p $(B)/audit
	@$(B)/bin/gort build -o $(B)/audit/demo $(A)/demo/*.c
	@$(B)/bin/gort build -o $(B)/audit/audit $(A)/*.c -lcurl -lexpat
	@$(B)/audit/demo $(B)/audit/audit --report-only --routes $(A)/demo/routes.txt --rate 500 \
	    --max-time 1.5s --json $(B)/audit/report.json --html $(B)/audit/report.html {}/sitemap.xml
	@echo "The report for readers: $(B)/audit/report.html"

# A build that was configured before its parts were there has no libgort-http.
$(B)/lib/libgort-http.a:
	@cmake $(B) >$(B)/configure.log 2>&1 && $(NINJA) --quiet && [ -f $@ ] || \
	    { echo "make: libgort-http cannot be built; tools/setup build installs its parts" >&2; \
	      exit 1; }

test:
	@tools/setup test
	@tools/test

check:
	@tools/setup test
	@tools/test --quick

conform:
	@tools/setup test
	@root=$$(bench/get-go) && GORT_CONFORM_GO="$$root" tools/test --quick --label conform

# A quick session ends in time also where the library has to be built first.
bench: export GORT_BENCH_BEGIN := $(shell date +%s)
bench:
	@tools/setup bench
	@$(MAKE) --no-print-directory build
	@bench/$(if $(HTTP),http.sh,$(if $(GO),gobench/)run.sh)

tidy:
	@tools/tidy

docs:
	@tools/gen/reference >docs/.new && mv docs/.new docs/REFERENCE.md

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: all
	@DESTDIR="$(DESTDIR)" cmake --install $(B) --prefix "$(PREFIX)"
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ] && command -v ldconfig >/dev/null; then \
	    ldconfig; fi

uninstall:
	@sed 's|^|$(DESTDIR)|' $(B)/install_manifest.txt | xargs -r rm -f

clean:
	rm -rf $(B)
