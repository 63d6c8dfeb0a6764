/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How far words are apart that somebody may have mistyped.
 */
#ifndef MASKDM_TEXT_NEAREST_H
#define MASKDM_TEXT_NEAREST_H

enum { MDM_NEAREST_WORD = 63 /* bytes that are looked at */, MDM_NEAREST_ERRORS = 3 };

/* Insertions, deletions, replacements and exchanges of neighbours between two words. */
int mdm_word_distance(const char *a, const char *b);
/* How many of them fingers make of a word: at most a third of its letters, and few; -1 for one that is too long. */
int mdm_word_errors(const char *word);

#endif
