/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counting forms.
 */
#include "data/forms.h"

#include "base/sort.h"
#include "text/text.h"

#include <string.h>

enum { TOLD = 4 /* sizes that are named */ };

void mdm_forms_begin(struct mdm_forms *f)
{
    memset(f, 0, sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
}

void mdm_forms_end(struct mdm_forms *f)
{
    pthread_mutex_destroy(&f->lock);
}

static void widen(struct mdm_forms *f, const struct mdm_image_form *form)
{
    if (!f->images || form->height < f->least.height)
        f->least.height = form->height;
    if (!f->images || form->width < f->least.width)
        f->least.width = form->width;
    if (form->height > f->most.height)
        f->most.height = form->height;
    if (form->width > f->most.width)
        f->most.width = form->width;
}

static void count_size(struct mdm_forms *f, const struct mdm_image_form *form, int64_t count)
{
    int k = 0;

    while (k < f->sizes && (f->size[k].height != form->height || f->size[k].width != form->width))
        k++;
    if (k == MDM_FORMS_SIZES) {
        f->beyond += count;
        return;
    }
    if (k == f->sizes)
        f->size[f->sizes++] = (struct mdm_forms_size){form->height, form->width, 0};
    f->size[k].count += count;
}

void mdm_forms_add(struct mdm_forms *f, const struct mdm_image_form *form, int64_t count)
{
    if (form->channels < 1 || form->channels > MDM_FORMS_MODES)
        return;
    pthread_mutex_lock(&f->lock);
    widen(f, form);
    count_size(f, form, count);
    f->mode[form->channels][form->bits > 8] += count;
    f->images += count;
    pthread_mutex_unlock(&f->lock);
}

/* The most frequent first, of equal ones the smallest. */
static int compare(const void *user, int64_t a, int64_t b)
{
    const struct mdm_forms_size *p = (const struct mdm_forms_size *)user + a;
    const struct mdm_forms_size *q = (const struct mdm_forms_size *)user + b;

    if (p->count != q->count)
        return p->count > q->count ? -1 : 1;
    if (p->height != q->height)
        return p->height < q->height ? -1 : 1;
    return p->width < q->width ? -1 : p->width > q->width;
}

static void add_sizes(const struct mdm_forms *f, struct mdm_text *t)
{
    int64_t left = f->images, order[MDM_FORMS_SIZES];

    if (f->beyond) {
        mdm_text_addf(t, "sizes of many kinds, %lld to %lld high and %lld to %lld wide", (long long)f->least.height,
                      (long long)f->most.height, (long long)f->least.width, (long long)f->most.width);
        return;
    }
    for (int k = 0; k < f->sizes; k++)
        order[k] = k;
    mdm_sort(order, f->sizes, compare, f->size);
    for (int k = 0; k < f->sizes && k < TOLD; k++) {
        const struct mdm_forms_size *s = &f->size[order[k]];

        mdm_text_addf(t, "%s%lldx%lld (%lld)", k ? ", " : "sizes ", (long long)s->height, (long long)s->width,
                      (long long)s->count);
        left -= s->count;
    }
    if (f->sizes > TOLD)
        mdm_text_addf(t, ", %d others (%lld)", f->sizes - TOLD, (long long)left);
}

static void add_modes(const struct mdm_forms *f, struct mdm_text *t)
{
    const char *between = "; ";

    for (int c = MDM_FORMS_MODES; c > 0; c--)
        for (int wide = 0; wide < 2; wide++) {
            if (!f->mode[c][wide])
                continue;
            mdm_text_addf(t, "%s%s%s %lld", between, mdm_image_mode(c), wide ? " of 16 bits" : "",
                          (long long)f->mode[c][wide]);
            between = ", ";
        }
}

void mdm_forms_tell(const struct mdm_forms *f, const struct mdm_log *log)
{
    struct mdm_text t = {0};

    if (!f->images)
        return;
    add_sizes(f, &t);
    add_modes(f, &t);
    if (t.data && !t.failed)
        mdm_log_line(log, MASKDM_LOG_INFO, "%s", t.data);
    mdm_text_free(&t);
}
