/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Distance between words (Damerau and Levenshtein, no piece changed twice).
 */
#include "text/nearest.h"

#include <string.h>

static int least(int a, int b)
{
    return a < b ? a : b;
}

int mdm_word_distance(const char *a, const char *b)
{
    int row[3][MDM_NEAREST_WORD + 1], *before = row[0], *above = row[1], *here = row[2];
    const int n = (int)strnlen(b, MDM_NEAREST_WORD);

    for (int k = 0; k <= n; k++)
        here[k] = k;
    for (int i = 0; a[i] && i < MDM_NEAREST_WORD; i++) {
        int *oldest = before;

        before = above;
        above = here;
        here = oldest;
        here[0] = i + 1;
        for (int k = 1; k <= n; k++) {
            here[k] = least(above[k - 1] + (a[i] != b[k - 1]), least(above[k], here[k - 1]) + 1);
            if (i > 0 && k > 1 && a[i] == b[k - 2] && a[i - 1] == b[k - 1])
                here[k] = least(here[k], before[k - 2] + 1);
        }
    }
    return here[n];
}

int mdm_word_errors(const char *word)
{
    const size_t n = strnlen(word, MDM_NEAREST_WORD + 1);

    return n > MDM_NEAREST_WORD ? -1 : least((int)n / 3, MDM_NEAREST_ERRORS);
}
