/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The one thing that matters of EXIF: which way up.
 */
#ifndef MASKDM_IMAGE_EXIF_H
#define MASKDM_IMAGE_EXIF_H

#include <stddef.h>

/* 1 to 8 as EXIF counts them, from n bytes of a TIFF structure ("II*" or "MM", with or without "Exif\0\0" before it).
 * 0 where it says nothing, or nonsense: what stands beside a picture never makes it unreadable. */
int mdm_exif_orientation(const unsigned char *bytes, size_t n);

#endif
