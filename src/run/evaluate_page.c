/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A page of numbers, written twice at once: a line to each for people, and one object of JSON for programs.
 */
#include "run/evaluate.h"

#include "base/error.h"

static void member(struct mdm_page *p, const char *name)
{
    if (!p->open)
        mdm_text_add(&p->json, ", ");
    p->open = 0;
    mdm_text_add_json(&p->json, name);
    mdm_text_add(&p->json, ": ");
}

static void line(struct mdm_page *p, const char *name)
{
    mdm_text_addf(&p->lines, "%-26s ", name);
}

void mdm_page_begin(struct mdm_page *p, const char *name)
{
    if (name) {
        member(p, name);
        mdm_text_addf(&p->lines, "%s\n", name);
    }
    mdm_text_add(&p->json, "{");
    p->open = 1;
}

void mdm_page_end(struct mdm_page *p)
{
    mdm_text_add(&p->json, "}");
    p->open = 0;
}

void mdm_page_number(struct mdm_page *p, const char *name, double x)
{
    member(p, name);
    mdm_text_add_double(&p->json, x);
    line(p, name);
    mdm_text_addf(&p->lines, "%.6g\n", x);
}

void mdm_page_count(struct mdm_page *p, const char *name, int64_t n)
{
    member(p, name);
    mdm_text_addf(&p->json, "%lld", (long long)n);
    line(p, name);
    mdm_text_addf(&p->lines, "%lld\n", (long long)n);
}

void mdm_page_text(struct mdm_page *p, const char *name, const char *text)
{
    member(p, name);
    mdm_text_add_json(&p->json, text);
    line(p, name);
    mdm_text_addf(&p->lines, "%s\n", text);
}

void mdm_page_path(struct mdm_page *p, const char *name, const char *path)
{
    char shown[MDM_ERROR_TEXT];

    mdm_one_line(shown, sizeof shown, path);
    member(p, name);
    mdm_text_add_json_bytes(&p->json, path);
    line(p, name);
    mdm_text_addf(&p->lines, "%s\n", shown);
}

void mdm_page_list(struct mdm_page *p, const char *name, const double *x, int64_t n)
{
    member(p, name);
    line(p, name);
    for (int64_t i = 0; i < n; i++) {
        mdm_text_add(&p->json, i ? ", " : "[");
        mdm_text_add_double(&p->json, x[i]);
        mdm_text_addf(&p->lines, "%s%.4g", i ? " " : "", x[i]);
    }
    mdm_text_add(&p->json, "]");
    mdm_text_add(&p->lines, "\n");
}

void mdm_page_json(struct mdm_page *p, const char *name, const char *json)
{
    member(p, name);
    mdm_text_add(&p->json, json);
}

int mdm_page_deliver(struct mdm_page *p, int json, maskdm_write_callback write, void *user)
{
    struct mdm_text *text = json ? &p->json : &p->lines;

    mdm_page_end(p);
    mdm_text_add(&p->json, "\n");
    MDM_TRY(mdm_text_ok(text));
    return write(user, text->data, text->length) ? mdm_fail(MASKDM_ECANCELED, "the page was not taken") : MASKDM_OK;
}

void mdm_page_free(struct mdm_page *p)
{
    mdm_text_free(&p->lines);
    mdm_text_free(&p->json);
}
