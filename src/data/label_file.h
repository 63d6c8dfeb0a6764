/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Labels out of a file beside the data: lines of a name and a label, as CelebA's identities and VGGFace2's attributes
 * have them, or a table of attributes of which one is the label, as CelebA's, with a line of their names above it.
 */
#ifndef MASKDM_DATA_LABEL_FILE_H
#define MASKDM_DATA_LABEL_FILE_H

#include "data/label_list.h"

/* Add what the text says; MASKDM_EFORMAT names the line, MASKDM_EINVAL an attribute that it has not, or which are to
 * choose from where `attribute` is "" and there are several. `said` is what the user calls that choice. */
int mdm_label_file_read(struct mdm_label_list *out, const char *text, size_t bytes, const char *attribute,
                        const char *said);

#endif
