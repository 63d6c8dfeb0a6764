/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an image is called: its seed and its label, by which it can be drawn again.
 */
#include "sample/sampler.h"

#include "base/format.h"
#include "text/number.h"

#include <string.h>

enum { DIGITS = 24, SHORT = 40 /* bytes of a label in a file's name */ };

struct mdm_naming mdm_sampler_naming(const maskdm_sampler *s, struct mdm_seeds seeds, const int32_t *labels)
{
    return (struct mdm_naming){.first = seeds.from ? 0 : s->seed,
                               .between = seeds.from != NULL,
                               .labels = labels,
                               .names = s->model ? &s->model->labels : NULL};
}

const char *mdm_naming_label(char room[DIGITS], const struct mdm_naming *n, int64_t number)
{
    const int32_t label = n->labels ? n->labels[number] : -1;

    if (label < 0)
        return NULL;
    if (n->names && label < n->names->count)
        return n->names->name[label];
    mdm_format(room, DIGITS, "%d", (int)label);
    return room;
}

/* Letters and digits of ASCII, and what goes with them in names everywhere. */
static int is_plain(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' || c == '_';
}

void mdm_naming_file(char out[MDM_SAMPLING_NAME], const struct mdm_naming *n, int64_t number)
{
    char room[DIGITS], plain[SHORT + 1] = "";
    const char *label = mdm_naming_label(room, n, number);

    for (int i = 0; label && i < SHORT && label[i]; i++)
        plain[i] = is_plain((unsigned char)label[i]) ? label[i] : '_';
    mdm_format(out, MDM_SAMPLING_NAME, "%06llu%s%s.png", (unsigned long long)(n->first + (uint64_t)number),
               label ? "-" : "", plain);
}

int64_t mdm_naming_number(const struct mdm_naming *n, const char *file, int64_t count)
{
    char digits[DIGITS] = "", again[MDM_SAMPLING_NAME];
    const size_t length = strspn(file, "0123456789");
    int64_t seed, number;

    if (!length || length >= sizeof digits)
        return -1;
    memcpy(digits, file, length);
    if (mdm_parse_i64(digits, &seed) < 0 || (uint64_t)seed - n->first >= (uint64_t)count)
        return -1;
    number = (int64_t)((uint64_t)seed - n->first);
    mdm_naming_file(again, n, number);
    return strcmp(again, file) ? -1 : number;
}

void mdm_naming_caption(char out[MDM_SAMPLING_NAME], const struct mdm_naming *n, int64_t number)
{
    char room[DIGITS];
    const char *label = mdm_naming_label(room, n, number);

    mdm_format(out, MDM_SAMPLING_NAME, "%llu%s%.60s", (unsigned long long)(n->first + (uint64_t)number),
               label ? " " : "", label ? label : "");
}
