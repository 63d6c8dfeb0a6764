/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Letters of a fixed size, for captions. What there is no letter for, in whatever alphabet, is a question mark.
 */
#ifndef MASKDM_IMAGE_FONT_H
#define MASKDM_IMAGE_FONT_H

enum { MDM_FONT_WIDTH = 5, MDM_FONT_HEIGHT = 7 };

/* Whether the first letter of a text, which is not empty, has ink there. */
int mdm_font_has(const char *text, int y, int x);
/* Behind that letter; the text is UTF-8. */
const char *mdm_font_next(const char *text);

#endif
