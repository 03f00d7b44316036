/*
 * fuzz -- what a fuzzer is: one function over one module.
 *
 * With -Dfuzzers=true libFuzzer calls it with what it invents; otherwise replay.c
 * calls it with the files of its corpus, as a plain test. It returns 0, and what
 * it finds it tells by crashing.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
