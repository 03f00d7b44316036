/*
 * faults -- allocations that fail when they are told to.
 *
 * A program that links faults.c with -Wl,--wrap=malloc and the other names in
 * tests/meson.build has every allocation of ours in it pass through here, and after
 * faults_set_up jansson's too. Each thread has its own count, so that a library's
 * threads are left in peace. What libc, libcrypto, ICU and SQLite allocate themselves
 * is theirs and does not fail.
 */
#ifndef TESTS_CHAOS_FAULTS_H
#define TESTS_CHAOS_FAULTS_H

#include <stdbool.h>

/* Once, before anything is allocated through jansson. */
void faults_set_up(void);

/* From here on the allocation number 'nth' (from 1) of this thread fails; with
 * 'onward' every later one too. 0 counts and fails none. */
void faults_arm(unsigned long nth, bool onward);
/* How many allocations were asked for since faults_arm. None fails any more. */
unsigned long faults_disarm(void);

#endif
