# imdir. `make help` lists the targets.
# B holds everything made; a sanitized build has its own, so that both can exist side by side.
B      := $(if $(SAN),build/san,build)
CC     ?= gcc
V      ?=
Q      := $(if $(V),,@)
say     = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

WARN   := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wwrite-strings -Wmissing-prototypes \
          -Wstrict-prototypes -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough -Werror
PKGS   := ldap lber libsasl2 yaml-0.1 popt jansson libcares
LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lcsv -lunistring -lpthread
HARDEN := -fPIE -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS ?= -O2 -g
SANFLAGS := $(if $(SAN),-fsanitize=address$(,)undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
, := ,
override CFLAGS += -std=c17 $(WARN) $(HARDEN) $(SANFLAGS)
override CPPFLAGS += -D_GNU_SOURCE -I. $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
override LDFLAGS += -pie -Wl,-z,relro,-z,now $(SANFLAGS)

TOOLS     := imenable imdisable imschema
LIB_SRC   := $(sort $(wildcard lib/*/*.c))
GEN_SRC   := $(B)/gen/profiles.c
LIB_OBJ   := $(LIB_SRC:%.c=$(B)/%.o) $(GEN_SRC:.c=.o)
TOOL_MAIN := $(TOOLS:%=tools/%.c)
TOOL_OBJ  := $(patsubst %.c,$(B)/%.o,$(filter-out $(TOOL_MAIN),$(sort $(wildcard tools/*.c))))
UNIT_SRC  := $(sort $(wildcard tests/unit/test_*.c))
UNIT_HELP := $(patsubst %.c,$(B)/%.o,$(filter-out $(UNIT_SRC),$(sort $(wildcard tests/unit/*.c))))
UNIT_BIN  := $(UNIT_SRC:%.c=$(B)/%)
DATA      := $(sort $(wildcard schema/*/*.yaml))

all: $(TOOLS:%=$(B)/bin/%)

$(B)/libimdir.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/bin/%: $(B)/tools/%.o $(TOOL_OBJ) $(B)/libimdir.a
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# A profile travels inside the commands, so that they need no data directory.
$(B)/gen/profiles.c: $(DATA) schema/embed.sh
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D) && sh schema/embed.sh $(DATA) >$@.tmp && mv $@.tmp $@

$(B)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/gen/%.o: $(B)/gen/%.c
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tests/unit/test_%: $(B)/tests/unit/test_%.o $(UNIT_HELP) $(B)/libimdir.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup -o $@ $^ -lcmocka $(LIBS)

units: $(UNIT_BIN)

clean:
	rm -rf build

.PHONY: all units clean
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
