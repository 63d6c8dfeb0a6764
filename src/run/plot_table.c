/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the logs of runs say as a table, for spreadsheets and for who draws by himself.
 */
#include "run/plot.h"

#include "base/error.h"
#include "text/text.h"

#include <math.h>

/* As spreadsheets take it: in quotes, which are doubled within. */
static void add_field(struct mdm_text *t, const char *s)
{
    mdm_text_add(t, "\"");
    for (; *s; s++) {
        mdm_text_add_n(t, s, 1);
        if (*s == '"')
            mdm_text_add(t, "\"");
    }
    mdm_text_add(t, "\"");
}

int mdm_plot_table(const struct mdm_history *h, char (*name)[MDM_PLOT_NAME], int64_t runs, struct mdm_writer **place)
{
    struct mdm_text t = {0};
    int status;

    mdm_text_add(&t, "run");
    for (int k = 0; k < MDM_COLUMNS; k++)
        mdm_text_addf(&t, ",%s", mdm_history_name((enum mdm_column)k));
    mdm_text_add(&t, "\n");
    for (int64_t i = 0; i < runs; i++)
        for (int64_t row = 0; row < h[i].count && !t.failed; row++) {
            add_field(&t, name[i]);
            for (int k = 0; k < MDM_COLUMNS; k++) {
                mdm_text_add(&t, ",");
                if (isfinite(h[i].line[row][k]))
                    mdm_text_add_double(&t, h[i].line[row][k]);
            }
            mdm_text_add(&t, "\n");
        }
    status = mdm_text_ok(&t);
    if (status == MASKDM_OK)
        status = mdm_writer_write(*place, t.data, t.length);
    if (status == MASKDM_OK)
        status = mdm_writer_commit(place);
    mdm_text_free(&t);
    return status;
}
