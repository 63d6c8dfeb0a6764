/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A fuzz target: one function that libFuzzer or driver.c calls with bytes, and the seeds that driver.c mutates.
 */
#ifndef MASKDM_TESTS_FUZZ_FUZZ_H
#define MASKDM_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Ends the process when an invariant does not hold. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Put seed i into out and return its size; 0 when there is none. */
size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity);
/* Pieces of text worth inserting; NULL ends the list. */
extern const char *const mdm_fuzz_words[];

#endif
