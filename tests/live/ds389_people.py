"""The people of the tests' 389 Directory Server, as LDIF. Passwords are pw-<uid>."""

SUFFIX = "dc=example,dc=test"
PEOPLE = f"ou=people,{SUFFIX}"


def entry(dn, classes, **attributes):
    lines = [f"dn: {dn}"] + [f"objectClass: {c}" for c in ["top", *classes]]
    for name, values in attributes.items():
        for value in values if isinstance(values, list) else [values]:
            lines.append(f"{name.replace('_', '-')}: {value}")
    return "\n".join(lines) + "\n"


def person(uid, name, unit="people", classes=("person", "organizationalPerson", "inetOrgPerson"),
           **more):
    return entry(f"uid={uid},ou={unit},{SUFFIX}", classes, uid=uid, cn=name, displayName=name,
                 sn=name.split()[-1], mail=f"{uid}@example.test", userPassword=f"pw-{uid}", **more)


def service(name, password):
    return entry(f"cn={name},ou=services,{SUFFIX}",
                 ["applicationProcess", "simpleSecurityObject"], cn=name,
                 userPassword=password)


def allow(rights, attributes, who):
    return (f'(targetattr="{attributes}")(version 3.0; acl "{who}"; allow ({rights}) '
            f'userdn="ldap:///cn={who},ou=services,{SUFFIX}";)')


def roles():
    """What inactivation through roles is made of: entries below them get nsAccountLock
    from the template, though none has it."""
    template = f"cn=nsAccountInactivationTmp,{SUFFIX}"
    managed, disabled = f"cn=nsManagedDisabledRole,{SUFFIX}", f"cn=nsDisabledRole,{SUFFIX}"
    role = ["LDAPsubentry", "nsRoleDefinition"]
    return [
        entry(managed, [*role, "nsSimpleRoleDefinition", "nsManagedRoleDefinition"],
              cn="nsManagedDisabledRole"),
        entry(disabled, [*role, "nsComplexRoleDefinition", "nsNestedRoleDefinition"],
              cn="nsDisabledRole", nsRoleDN=managed),
        entry(template, ["nsContainer"], cn="nsAccountInactivationTmp"),
        entry(f'cn="{disabled}",{template}',
              ["extensibleObject", "costemplate", "ldapsubentry"], nsAccountLock="true",
              cosPriority="0"),
        entry(f"cn=nsAccountInactivation_cos,{SUFFIX}",
              ["LDAPsubentry", "cosSuperDefinition", "cosClassicDefinition"],
              cn="nsAccountInactivation_cos", cosTemplateDn=template, cosSpecifier="nsRole",
              cosAttribute="nsAccountLock operational"),
    ]


def ldif():
    # nsPerson has neither sn nor uid as a must.
    own = ("nsPerson", "nsAccount", "nsOrgPerson", "posixAccount")
    everything = allow("all", "*", "admin")
    parts = [
        entry(SUFFIX, ["domain"], dc="example", aci=[
            allow("read,search,compare", "*", "wingman"),
            allow("read,search,compare", "*", "weak"), everything]),
        entry(PEOPLE, ["organizationalUnit"], ou="people", aci=[
            allow("write", "nsAccountLock || accountUnlockTime", "wingman")]),
        *(entry(f"ou={ou},{SUFFIX}", ["organizationalUnit"], ou=ou)
          for ou in ("breakglass", "elsewhere", "services", "groups")),
        service("wingman", "@service@"), service("weak", "@weak@"), service("admin", "@admin@"),
        person("john.doe", "John Doe"), person("jane.roe", "Jane Roe"),
        person("alex.kim", "Alex Kim"), person("alex.kim2", "Alex Kim"),
        person("liam.obrien", "Liam O'Brien (contractor)"),
        person("was.false", "Was False", nsAccountLock="FALSE"),
        person("by.role", "By Role", nsRoleDN=f"cn=nsManagedDisabledRole,{SUFFIX}"),
        # It is in force where the count has reached passwordMaxFailure as well.
        person("locked.out", "Locked Out", accountUnlockTime="20991231000000Z",
               retryCountResetTime="20991231000000Z", passwordRetryCount="3"),
        person("lock.ended", "Lock Ended", accountUnlockTime="20200101000000Z",
               retryCountResetTime="20200101000000Z", passwordRetryCount="3"),
        person("ci.runner", "CI Runner"), person("out.side", "Out Side", "elsewhere"),
        person("breakglass-1", "Break Glass", "breakglass"),
        person("lead.one", "Lead One", memberOf=f"cn=leads,ou=groups,{SUFFIX}",
               classes=("person", "organizationalPerson", "inetOrgPerson", "nsMemberOf")),
        person("lead.two", "Lead Two", memberOf=f"cn=leads,ou=groups,{SUFFIX}",
               classes=("person", "organizationalPerson", "inetOrgPerson", "nsMemberOf")),
        entry(f"uid=dsidm.made,{PEOPLE}", own, uid="dsidm.made", cn="Dsidm Made",
              displayName="Dsidm Made", uidNumber="1001", gidNumber="1001",
              homeDirectory="/home/d", mail="dsidm.made@example.test",
              userPassword="pw-dsidm.made"),
        entry(f"cn=service-accounts,ou=groups,{SUFFIX}", ["groupOfNames"], cn="service-accounts",
              member=f"uid=ci.runner,{PEOPLE}"),
        entry(f"cn=leads,ou=groups,{SUFFIX}", ["groupOfNames"], cn="leads",
              member=[f"uid=lead.one,{PEOPLE}", f"uid=lead.two,{PEOPLE}"]),
        *roles(),
    ]
    return "\n".join(parts)
