# SPDX-License-Identifier: MIT
#
# The front door. CMake and Ninja do the building, into build/.
#
#   make            build/bin/gort, build/lib/libgort.a, build/lib/libgort.so, build/include
#   make run        the above, then the tour and the findex example on /usr/include
#   make test       the whole suite in all its variants (tools/test --list); installs what it needs
#   make check      one variant, quickly
#   make conform    the transcripts compared with Go's
#   make bench      the figures beside Go's; GO=1: Go's own benchmarks, for benchstat
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

.PHONY: all build run test check conform bench tidy docs format install uninstall clean setup FORCE

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

test:
	@tools/setup test
	@tools/test

check:
	@tools/setup test
	@tools/test --quick

conform:
	@tools/setup test
	@root=$$(bench/get-go) && GORT_CONFORM_GO="$$root" tools/test --quick --label conform

bench:
	@tools/setup bench
	@$(MAKE) --no-print-directory build
	@bench/$(if $(GO),gobench/)run.sh

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
