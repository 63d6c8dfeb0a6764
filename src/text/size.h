/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sizes as people write them: 300M, 2G.
 */
#ifndef MASKDM_TEXT_SIZE_H
#define MASKDM_TEXT_SIZE_H

#include <stdint.h>

enum { MDM_SIZE_TEXT = 24 };

/* "812", "300M", "1.5G": in powers of 1024, to three figures. */
void mdm_size_write(char out[MDM_SIZE_TEXT], double bytes);
/* "2G", "1.5g", "300MiB", "4096", "12B", all in powers of 1024: 0, or -1 where it is none, no whole number of bytes,
 * or does not fit; *out is then unchanged. */
int mdm_size_read(const char *s, int64_t *out);

#endif
