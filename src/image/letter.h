/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Letters for pictures that are read without a font: strokes on a small grid.
 */
#ifndef MASKDM_IMAGE_LETTER_H
#define MASKDM_IMAGE_LETTER_H

enum { MDM_LETTER_ADVANCE = 6 }; /* from one letter to the next, in units of the grid */

/* The strokes of a printable character of ASCII, of a box for any other: pairs of digits "xy" in a polyline, a blank
 * between two of them. x is 0 to 4 from left to right; y 0 to 8 from the lowest to the highest, 2 the line that
 * letters stand on. A stroke of one point twice is a dot. */
const char *mdm_letter_strokes(unsigned char c);

#endif
