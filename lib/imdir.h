/* imdir: instant messaging administered in a directory. The one header that the commands include. */
#ifndef IMDIR_H
#define IMDIR_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/hash.h"
#include "lib/base/index.h"
#include "lib/base/pool.h"
#include "lib/base/secret.h"
#include "lib/base/set.h"
#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/csv.h"
#include "lib/data/csv_read.h"
#include "lib/data/dn.h"
#include "lib/data/ldif.h"
#include "lib/data/template.h"
#include "lib/directory/choose.h"
#include "lib/directory/early.h"
#include "lib/directory/gather.h"
#include "lib/directory/live.h"
#include "lib/directory/offline.h"
#include "lib/directory/schema.h"
#include "lib/directory/topology.h"
#include "lib/engine/records.h"
#include "lib/engine/run.h"
#include "lib/model/config.h"
#include "lib/model/profile.h"
#include "lib/report/report.h"

#define IMDIR_VERSION "0.1.0"

#endif
