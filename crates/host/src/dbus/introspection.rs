//! What the object says of itself.

use super::Interface;

const DOCTYPE: &str = "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"
 \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">
";

/// What every object answers to.
const COMMON: &str = r#"  <interface name="org.freedesktop.DBus.Introspectable">
    <method name="Introspect">
      <arg name="xml_data" type="s" direction="out"/>
    </method>
  </interface>
  <interface name="org.freedesktop.DBus.Peer">
    <method name="Ping"/>
  </interface>
"#;

const PROPERTIES: &str = r#"  <interface name="org.freedesktop.DBus.Properties">
    <method name="Get">
      <arg name="interface_name" type="s" direction="in"/>
      <arg name="property_name" type="s" direction="in"/>
      <arg name="value" type="v" direction="out"/>
    </method>
    <method name="GetAll">
      <arg name="interface_name" type="s" direction="in"/>
      <arg name="props" type="a{sv}" direction="out"/>
    </method>
    <method name="Set">
      <arg name="interface_name" type="s" direction="in"/>
      <arg name="property_name" type="s" direction="in"/>
      <arg name="value" type="v" direction="in"/>
    </method>
    <signal name="PropertiesChanged">
      <arg name="interface_name" type="s"/>
      <arg name="changed_properties" type="a{sv}"/>
      <arg name="invalidated_properties" type="as"/>
    </signal>
  </interface>
"#;

const OURS: &str = r#"    <method name="GetConfig">
      <arg name="client" type="s" direction="in"/>
      <arg name="config" type="s" direction="out"/>
    </method>
    <method name="Sync">
      <arg name="outcome" type="s" direction="out"/>
    </method>
    <signal name="ConfigUpdated">
      <arg name="version" type="s"/>
    </signal>
    <property name="Version" type="s" access="read"/>
"#;

/// Describes our object.
pub(super) fn object(interface: &Interface) -> String {
    // Nothing in the name of an interface needs escaping.
    format!(
        "{DOCTYPE}<node>\n{COMMON}{PROPERTIES}  <interface name=\"{interface}\">\n{OURS}  </interface>\n</node>\n"
    )
}

/// Describes a place above our object: tools find their way from `/` by these.
pub(super) fn above(child: &str) -> String {
    format!("{DOCTYPE}<node>\n{COMMON}  <node name=\"{child}\"/>\n</node>\n")
}
