/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a processor calls itself, and what is known of it by that name.
 */
#ifndef MASKDM_BACKEND_CPU_BRAND_H
#define MASKDM_BACKEND_CPU_BRAND_H

enum { MDM_BRAND = 49 };

/* "" where it says nothing, as outside of x86. */
void mdm_read_brand(char brand[MDM_BRAND]);
/* 1 where one unit multiplies and adds 512 bits and two do 256, so that the wider are no faster, at a lower clock. */
int mdm_halves_512_bits(const char *brand);

#endif
