/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Members of diffusers' JSON objects, each behind another.
 */
#include "run/export.h"

#include "text/text.h"

void mdm_export_add_ints(struct mdm_text *t, const char *key, struct mdm_int_list list)
{
    mdm_text_addf(t, ",\n  \"%s\": [", key);
    for (int i = 0; i < list.count; i++)
        mdm_text_addf(t, "%s%lld", i ? ", " : "", (long long)list.value[i]);
    mdm_text_add(t, "]");
}

void mdm_export_add_int(struct mdm_text *t, const char *key, int64_t x)
{
    mdm_text_addf(t, ",\n  \"%s\": %lld", key, (long long)x);
}

/* Where 0 stands for what diffusers leaves out. */
void mdm_export_add_int_or_null(struct mdm_text *t, const char *key, int64_t x)
{
    if (x)
        mdm_export_add_int(t, key, x);
    else
        mdm_text_addf(t, ",\n  \"%s\": null", key);
}

void mdm_export_add_word(struct mdm_text *t, const char *key, const char *word)
{
    mdm_text_addf(t, ",\n  \"%s\": \"%s\"", key, word);
}

void mdm_export_add_bool(struct mdm_text *t, const char *key, int x)
{
    mdm_text_addf(t, ",\n  \"%s\": %s", key, x ? "true" : "false");
}
