/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Meetings of the ranks: whether all are well and at the same place, and whether they have the same.
 */
#include "comm/comm.h"

#include "base/alloc.h"

#include <string.h>

struct word {
    int32_t status;
    uint32_t wants;
    char place[MDM_COMM_PLACE];
};

/* ---- failures ---- */

/* The line of the rank whose failure counts goes to all; each has it on record, others than that rank with its
 * number. */
static int spread_failure(maskdm_comm *c, int of, int code, int status)
{
    const int ranks = c->carrier->size;
    char mine[MDM_ERROR_TEXT] = "", *all;
    struct mdm_failure own;
    int gathered;

    mdm_failure_take(&own, status);
    mdm_format(mine, sizeof mine, "%s", own.text);
    all = mdm_comm_need(c, (size_t)ranks, sizeof mine, "what the ranks say");
    gathered = all ? mdm_comm_gather(c, all, mine, sizeof mine) : MASKDM_ENOMEM;
    if (gathered == MASKDM_OK && (of == c->carrier->rank || (status == code && ranks == 1)))
        gathered = mdm_failure_record(&own);
    else if (gathered == MASKDM_OK)
        gathered = mdm_fail(code, "rank %d of %d: %.400s", of, ranks, all + (size_t)of * sizeof mine);
    mdm_free(all);
    c->common = c->broken.code == 0;
    return gathered;
}

static int judge(maskdm_comm *c, const struct word *all, int status)
{
    for (int r = 0; r < c->carrier->size; r++)
        if (all[r].status < 0)
            return spread_failure(c, r, all[r].status, status);
    for (int r = 1; r < c->carrier->size; r++)
        if (strcmp(all[r].place, all[0].place) != 0) {
            c->common = 1;
            return mdm_fail(MASKDM_EINVAL, "rank 0 is at %s, rank %d at %s", all[0].place, r, all[r].place);
        }
    return MASKDM_OK;
}

int mdm_comm_meet(maskdm_comm *c, int status, const char *place, unsigned *wants)
{
    const int ranks = c->carrier->size;
    struct word mine = {.status = status < 0 ? status : 0, .wants = wants ? *wants : 0}, *all;
    struct mdm_failure own;
    int met;

    if (status < 0 && (c->common || c->broken.code))
        return status;
    c->common = 0;
    mdm_failure_take(&own, status < 0 ? status : 0);
    mdm_format(mine.place, sizeof mine.place, "%s", place);
    all = mdm_comm_need(c, (size_t)ranks, sizeof *all, "a meeting");
    met = all ? mdm_comm_gather(c, all, &mine, sizeof mine) : MASKDM_ENOMEM;
    if (status < 0)
        (void)mdm_failure_record(&own);
    if (met == MASKDM_OK)
        met = judge(c, all, status);
    else if (status < 0)
        met = status;
    for (int r = 0; r < ranks && met == MASKDM_OK && wants; r++)
        *wants |= all[r].wants;
    mdm_free(all);
    return met;
}

/* ---- what they have ---- */

/* The longest text of any rank, for which all make room. */
static int find_longest(maskdm_comm *c, size_t *longest, size_t own)
{
    const int ranks = c->carrier->size;
    uint64_t mine = own, *all = mdm_comm_need(c, (size_t)ranks, sizeof *all, "lengths");
    int status = all ? mdm_comm_gather(c, all, &mine, sizeof mine) : MASKDM_ENOMEM;

    *longest = 0;
    for (int r = 0; r < ranks && status == MASKDM_OK; r++)
        *longest = all[r] > *longest ? (size_t)all[r] : *longest;
    mdm_free(all);
    return status;
}

/* The first line in which two texts are different. */
static int tell_difference(const char *before, const char *a, const char *b, int rank)
{
    size_t n, m;

    while (*a && *b) {
        n = strcspn(a, "\n");
        m = strcspn(b, "\n");
        if (n != m || memcmp(a, b, n) != 0)
            break;
        a += n + (a[n] == '\n');
        b += m + (b[m] == '\n');
    }
    n = strcspn(a, "\n");
    m = strcspn(b, "\n");
    return mdm_fail(MASKDM_EINVAL, "rank 0 has %s%.*s, rank %d has %s%.*s", n ? before : "nothing",
                    n < 160 ? (int)n : 160, a, rank, m ? before : "nothing", m < 160 ? (int)m : 160, b);
}

static int compare(maskdm_comm *c, const char *before, const char *all, size_t each)
{
    for (int r = 1; r < c->carrier->size; r++)
        if (strcmp(all, all + (size_t)r * each) != 0) {
            c->common = 1;
            return tell_difference(before, all, all + (size_t)r * each, r);
        }
    return MASKDM_OK;
}

int mdm_comm_compare(maskdm_comm *c, const char *before, const struct mdm_text *lines)
{
    size_t longest;
    char *mine, *all;
    int status;

    c->common = 0;
    MDM_TRY(find_longest(c, &longest, lines->length));
    longest++;
    mine = mdm_comm_need(c, longest, 1, "what this process has");
    all = mdm_comm_need(c, (size_t)c->carrier->size, longest, "what the processes have");
    status = mine && all ? MASKDM_OK : MASKDM_ENOMEM;
    if (status == MASKDM_OK && lines->length)
        memcpy(mine, lines->data, lines->length);
    if (status == MASKDM_OK)
        status = mdm_comm_gather(c, all, mine, longest);
    if (status == MASKDM_OK)
        status = compare(c, before, all, longest);
    mdm_free(all);
    mdm_free(mine);
    return status;
}
