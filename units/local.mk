# Values as people write them, for the commands.
lib_LIBRARIES += libasynwsgi-units.a
libasynwsgi_units_a_CPPFLAGS = $(units_inc)
libasynwsgi_units_a_SOURCES = units/units.c
pkginclude_HEADERS += units/asynwsgi/units.h
