/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options that come with the library, as files of a folder. `folder` NULL: that of the installation.
 */
#ifndef MASKDM_OPTION_PRESET_H
#define MASKDM_OPTION_PRESET_H

#include "option/option.h"

/* Their names, one a line, in order. */
int mdm_preset_names(struct mdm_text *out, const char *folder);
/* What the file of one holds or, of `what` among MDM_OPTIONS_NOTES, that text alone. MASKDM_ENOTFOUND, with all
 * names, for one that is not there. */
int mdm_preset_text(struct mdm_text *out, const char *name, const char *what, const char *folder);
/* Set what it says and what was not set. */
int mdm_options_load_preset(maskdm_options *o, const char *name, const char *folder);

#endif
