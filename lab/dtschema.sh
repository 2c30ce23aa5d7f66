# SPDX-License-Identifier: GPL-2.0-only
# dt-validate, with the binding schemas of the kernel's source: Debian's dt-schema with a Python of its own, and the
# schemas as dt-mk-schema has processed them, which takes most of a minute.

dtschema=dt-schema-7.2-$(key dt-schema 1)

make_dtschema() {
    local source deb python
    source=$(debian_source)
    open_world dt-schema "$(dpkg --print-architecture)" "${source% *}" trixie trixie-backports
    get dt-schema dt-schema
    for deb in $(debs dt-schema dt-schema); do
        dpkg-deb -x "$deb" "$1"
    done
    python=$(cd "$1/usr/bin" && ls python3.??)
    mkdir "$1/bin"
    # It finds its modules beside itself; -I: and no others
    wrap "$1" "$python" -I
    process_schemas "$1" "$1/bin/$python"
    cat >"$1/bin/dt-validate" <<END
#!/bin/sh
T=\${0%/bin/*}
exec "\$T/bin/$python" "\$T/usr/bin/dt-validate" -s "\$T/schemas.json" "\$@"
END
    chmod +x "$1/bin/dt-validate"
    find "$1" -mindepth 1 -maxdepth 1 ! -name bin ! -name usr ! -name schemas.json -exec rm -rf {} +
    find "$1/usr" -mindepth 1 -maxdepth 1 ! -name bin ! -name lib -exec rm -rf {} +
    find "$1/usr/bin" -mindepth 1 ! -name "$python" ! -name dt-validate -delete
    rm -rf "$1"/usr/lib/*/gconv "$cache/apt/dt-schema"
    du -sh "$1"
}

# process_schemas DIR PYTHON: DIR/schemas.json
process_schemas() {
    mkdir "$1/source"
    kernel_tar | tar x -C "$1/source" --strip-components=1 --wildcards '*/Documentation/devicetree/bindings/*.yaml'
    # Where it would say that a property has several types (ti,irqs-reserved), 2025.08 ends with a KeyError
    sed -i "s/self\.schemas\[sch_id\]/self.schemas[sch_id.rstrip('#')]/" "$1/usr/lib/python3/dist-packages/dtschema/validator.py"
    "$2" "$1/usr/bin/dt-mk-schema" -j -o "$1/schemas.json" "$1/source/Documentation/devicetree/bindings"
    [ -s "$1/schemas.json" ]
}
