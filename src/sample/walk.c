/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A stretch ends where the steps that are left, but one, are a multiple of its length, as in the authors' program;
 * the first is not done again, since there is hardly anything yet to be brought into harmony.
 */
#include "sample/walk.h"

struct mdm_walk mdm_walk_begin(int64_t first, int64_t steps, int64_t length, int64_t times)
{
    return (struct mdm_walk){
        .first = first, .steps = steps, .length = length, .times = times, .at = first, .place = -1};
}

static int ends_stretch(const struct mdm_walk *w)
{
    const int64_t left = w->steps - 1 - w->at;

    return w->times > 1 && left >= 0 && left % w->length == 0 && w->at - w->length >= w->first;
}

void mdm_walk_on(struct mdm_walk *w)
{
    w->at++;
    w->done++;
}

int64_t mdm_walk_back(struct mdm_walk *w)
{
    if (!ends_stretch(w))
        return 0;
    if (w->place != w->at) {
        w->place = w->at;
        w->left = w->times - 1;
    }
    if (!w->left)
        return 0;
    w->left--;
    w->jumps++;
    w->at -= w->length;
    return w->length;
}

int64_t mdm_walk_left(struct mdm_walk w)
{
    const int64_t before = w.done;

    for ((void)mdm_walk_back(&w); w.at < w.steps; (void)mdm_walk_back(&w))
        mdm_walk_on(&w);
    return w.done - before;
}
