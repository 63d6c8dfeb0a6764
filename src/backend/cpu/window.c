/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parts of a window. With the channel innermost, what a window has of one row of an image lies together.
 */
#include "backend/cpu/window.h"

#include "backend/cpu/real.h"

#include <string.h>

static int64_t within(int64_t x, int64_t most)
{
    return x < 0 ? 0 : x > most ? most : x;
}

/* Elements [from, from + n) of what begins at element `left` of a row of `width` elements, or of no row. */
static void copy_run(real *out, const real *row, int64_t left, int64_t width, int64_t from, int64_t n)
{
    const int64_t first = row ? within(-left - from, n) : n, last = row ? within(width - left - from, n) : n;

    if (first > 0)
        memset(out, 0, (size_t)first * sizeof(real));
    if (last > first)
        memcpy(out + first, row + left + from + first, (size_t)(last - first) * sizeof(real));
    if (n > last)
        memset(out + last, 0, (size_t)(n - last) * sizeof(real));
}

void REAL(mdm_window_copy)(real *out, const struct mdm_window_row *r, int64_t n)
{
    const struct mdm_window *w = r->w;
    const int64_t run = w->wide * w->channels, width = w->width * w->channels;
    const int64_t left = (r->j * w->stride - w->left) * w->channels;
    int64_t y = r->i * w->stride - w->top + r->line, at = r->at;

    for (int64_t take; n > 0; n -= take, out += take, at = 0, y++) {
        const real *x = y < 0 || y >= w->height ? NULL : (const real *)w->x + (r->image * w->height + y) * width;

        take = run - at < n ? run - at : n;
        copy_run(out, x, left, width, at, take);
    }
}
