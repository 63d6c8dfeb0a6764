/* SPDX-License-Identifier: BSD-2-Clause
 *
 * In a file: [{"mask": "block", "visible": 16, "patches": 64}, ...], with a null in front where it is not known what
 * was before.
 */
#include "model/past.h"

#include "base/error.h"
#include "text/json.h"
#include "text/text.h"

#include <string.h>

static int alike(const struct mdm_past_stage *a, const struct mdm_past_stage *b)
{
    return !strcmp(a->mask, b->mask) && a->visible == b->visible && a->patches == b->patches;
}

static void append(struct mdm_past *p, const struct mdm_past_stage *stage)
{
    if (p->count && alike(&p->stage[p->count - 1], stage))
        return;
    if (p->count == MDM_PAST_STAGES)
        memmove(p->stage, p->stage + 1, (size_t)--p->count * sizeof *p->stage);
    p->stage[p->count++] = *stage;
}

void mdm_past_add(struct mdm_past *p, const char *mask, int64_t visible, int64_t patches)
{
    struct mdm_past_stage stage = {.visible = visible, .patches = patches};

    mdm_format(stage.mask, sizeof stage.mask, "%s", mask);
    append(p, &stage);
}

int mdm_past_check_masked(const struct mdm_past *p, const char *who)
{
    for (int i = 0; i < p->count; i++)
        if (p->stage[i].visible < p->stage[i].patches)
            return MASKDM_OK;
    if (!p->known || !p->count)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL,
                    "%s shows the network some of the patches, as training with masks does, and this model was "
                    "trained on whole images alone",
                    who);
}

/* ---- in a file ---- */

void mdm_past_write(const struct mdm_past *p, struct mdm_text *out)
{
    if (!p->known && !p->count)
        return;
    mdm_text_add(out, p->known ? "[" : "[null");
    for (int i = 0; i < p->count; i++) {
        const struct mdm_past_stage *s = &p->stage[i];

        mdm_text_addf(out, "%s{\"mask\": ", i || !p->known ? ", " : "");
        mdm_text_add_json(out, s->mask);
        mdm_text_addf(out, ", \"visible\": %lld, \"patches\": %lld}", (long long)s->visible, (long long)s->patches);
    }
    mdm_text_add(out, "]");
}

static int take_member(struct mdm_past_stage *s, struct mdm_json *j)
{
    int64_t *number = !strcmp(j->text, "visible") ? &s->visible : !strcmp(j->text, "patches") ? &s->patches : NULL;

    if (number) {
        MDM_TRY(mdm_json_expect(j, MDM_JSON_NUMBER));
        return mdm_json_u63(j, number);
    }
    if (strcmp(j->text, "mask") != 0)
        return mdm_fail(MASKDM_EFORMAT, "a stage has a member \"%.80s\", which is none of mask, visible and patches",
                        j->text);
    MDM_TRY(mdm_json_expect(j, MDM_JSON_STRING));
    mdm_format(s->mask, sizeof s->mask, "%s", j->text);
    return MASKDM_OK;
}

/* Behind its {. */
static int read_stage(struct mdm_past *p, struct mdm_json *j)
{
    struct mdm_past_stage s = {.visible = 0};
    int event;

    while ((event = mdm_json_next(j)) == MDM_JSON_KEY)
        MDM_TRY(take_member(&s, j));
    if (event < 0)
        return event;
    if (!*s.mask || s.visible < 1 || s.visible > s.patches)
        return mdm_fail(MASKDM_EFORMAT, "a stage of mask \"%s\" with %lld of %lld patches visible", s.mask,
                        (long long)s.visible, (long long)s.patches);
    append(p, &s);
    return MASKDM_OK;
}

static int read_stages(struct mdm_past *p, struct mdm_json *j)
{
    MDM_TRY(mdm_json_expect(j, MDM_JSON_ARRAY));
    p->known = 1;
    for (int first = 1;; first = 0) {
        const int event = mdm_json_next(j);

        if (event < 0)
            return event;
        if (event == MDM_JSON_ARRAY_END)
            return mdm_json_expect(j, MDM_JSON_END);
        if (event == MDM_JSON_OBJECT)
            MDM_TRY(read_stage(p, j));
        else if (event == MDM_JSON_NULL && first)
            p->known = 0;
        else
            return mdm_fail(MASKDM_EFORMAT, "a stage is no object");
    }
}

int mdm_past_read(struct mdm_past *p, const char *json)
{
    struct mdm_json j;
    int status;

    *p = (struct mdm_past){.known = 0};
    if (!json)
        return MASKDM_OK;
    mdm_json_open(&j, json, strlen(json));
    status = read_stages(p, &j);
    mdm_json_close(&j);
    if (status < 0)
        return mdm_fail_prefix(status == MASKDM_ENOMEM ? status : MASKDM_EFORMAT, "metadata entry \"maskdm.masks\"");
    return MASKDM_OK;
}
