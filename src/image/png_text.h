/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a PNG file says of itself: its tEXt and iTXt chunks. Nothing is inflated, so that no file costs more than its
 * bytes.
 */
#ifndef MASKDM_IMAGE_PNG_TEXT_H
#define MASKDM_IMAGE_PNG_TEXT_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Both end with a NUL and last for the call. */
typedef int (*mdm_png_text_call)(void *user, const char *key, const char *text);

int mdm_png_is(const void *bytes, size_t size);
/* Each text in the order of the file, UTF-8 whatever the file had: Latin-1 is changed into it, a byte that fits
 * neither is U+FFFD. Left out are texts that are compressed, and chunks whose checksum is wrong or whose key is none.
 * What `call` answers, where it is not 0, ends it and is returned. MASKDM_EFORMAT where it is no PNG file. */
int mdm_png_texts(const void *bytes, size_t size, mdm_png_text_call call, void *user);
/* What its header says, as the file has it: a palette is 1 channel. MASKDM_EFORMAT where it has none. */
int mdm_png_header(const void *bytes, size_t size, int64_t *height, int64_t *width, int *channels, int *bits);

#endif
