/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Heapsort of indices. */
#include "base/sort.h"

static void sift(int64_t *index, int64_t root, int64_t n, mdm_compare *order, const void *user)
{
    int64_t child, moved = index[root];

    for (; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && order(user, index[child], index[child + 1]) < 0)
            child++;
        if (order(user, moved, index[child]) >= 0)
            break;
        index[root] = index[child];
    }
    index[root] = moved;
}

void mdm_sort(int64_t *index, int64_t n, mdm_compare *order, const void *user)
{
    for (int64_t root = n / 2; root-- > 0;)
        sift(index, root, n, order, user);
    for (int64_t last = n; last-- > 1;) {
        int64_t largest = index[0];

        index[0] = index[last];
        index[last] = largest;
        sift(index, 0, last, order, user);
    }
}

void mdm_sort_all(int64_t *index, int64_t n, mdm_compare *order, const void *user)
{
    for (int64_t i = 0; i < n; i++)
        index[i] = i;
    mdm_sort(index, n, order, user);
}
