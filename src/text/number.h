/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers from text, the same in every locale.
 */
#ifndef MASKDM_TEXT_NUMBER_H
#define MASKDM_TEXT_NUMBER_H

#include <stdint.h>

/* Locale-independent reading of a whole string, "-12" or "+1.5e-3": 0, or -1 when it is not a decimal number
 * or does not fit; *out is then unchanged. Doubles are correctly rounded (ties to even) and finite. */
int mdm_parse_i64(const char *s, int64_t *out);
int mdm_parse_double(const char *s, double *out);

#endif
