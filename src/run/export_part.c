/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What checkpoints of several programs are made of.
 */
#include "run/export.h"

#include "base/error.h"
#include "tensorfile/safetensors.h"
#include "tensorfile/torch_save.h"

#include <string.h>

enum { NAME_LENGTH = 256 };

struct mdm_text *mdm_export_key(struct mdm_export *j, const char *name)
{
    mdm_pickle_text(&j->w->pickle, name);
    return &j->w->pickle;
}

int mdm_export_weights(struct mdm_export *j, int set, const char *prefix)
{
    const struct mdm_params *layout = &j->model->layout;
    char name[NAME_LENGTH];

    if (set >= j->sets)
        set = 0;
    for (int i = 0; i < layout->count; i++) {
        const struct mdm_param *p = &layout->list[i];
        const struct mdm_narrow *n = &j->narrow[set];
        int64_t *storage = &j->storage[set][i];

        mdm_format(name, sizeof name, "%s%s", prefix, p->name);
        if (*storage >= 0)
            MDM_TRY(mdm_torch_writer_again(j->w, name, n->dtype, p->shape.d, p->shape.n, *storage));
        else
            MDM_TRY(mdm_torch_writer_add(j->w, name, n->dtype, p->shape.d, p->shape.n, mdm_narrow_place(n, p->at),
                                         &n->source, storage));
    }
    return MASKDM_OK;
}

/* What a model file says of itself, and what its host keeps in it. */
int mdm_export_own(struct mdm_export *j)
{
    static const char own[] = "maskdm.", user[] = "user.";
    struct mdm_text *t = &j->w->pickle;
    const struct mdm_tensorfile *table;
    struct mdm_safetensors_writer *w;
    int status;

    MDM_TRY(mdm_safetensors_writer_create(&w));
    status = mdm_model_write_meta(w, j->model);
    if (status == MASKDM_OK)
        status = mdm_safetensors_writer_meta(w, "maskdm.sets", j->sets == 2 ? "2" : "1");
    table = mdm_safetensors_writer_table(w);
    for (int pass = 0; pass < 2; pass++) {
        const char *prefix = pass ? user : own;
        const size_t n = strlen(prefix);

        mdm_pickle_open_dict(mdm_export_key(j, pass ? "user" : "maskdm"));
        for (int64_t i = 0; i < table->meta_count; i++)
            if (strncmp(table->meta[i].key, prefix, n) == 0)
                mdm_pickle_text(mdm_export_key(j, table->meta[i].key + n), table->meta[i].value);
        mdm_pickle_close_dict(t);
    }
    mdm_safetensors_writer_release(&w);
    return status == MASKDM_OK ? mdm_text_ok(t) : status;
}
